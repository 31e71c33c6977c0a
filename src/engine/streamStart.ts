import { proxy } from 'comlink';
import type { SortformerArithmetic, SortformerReply } from '../../workers/contracts';
import { spawnDecodeWorker, spawnSortformerWorker } from '../../workers/spawn';
import { cancelled, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { runtimeThreads } from '../util/host';
import { loadDiarizationFacts } from '../store/loadDiarization';
import { ModelStore } from '../store/modelStore';
import type { WeightsForm } from '../weights/convert';
import { storedForms } from '../weights/formNames';
import { type BackendPlan, wasmReason, wasmThreads } from './backend';
import type { CheckedDiarizerOptions } from './options';
import { describeFailure, disturbed, isGpuTrouble, wrongOnWasm } from './selfCheck';
import type { StreamSettings } from './settings';
import { VoicesOnDemand } from './streamVoices';
import type { BackendReport, ModelCheck, ModelDownload } from './types';
import { checkOnce, recallCheck, streamCheckKey } from './verdicts';

/** The workers of a streamed pipeline, with the loaded model. */
export interface StreamEngine extends SortformerReply {
  readonly decode: ReturnType<typeof spawnDecodeWorker>;
  readonly sortformer: ReturnType<typeof spawnSortformerWorker>;
  readonly settings: StreamSettings;
  /** For runs with embeddings. */
  readonly voices: VoicesOnDemand;
  readonly arithmetic: SortformerArithmetic;
  /** Key of the stored self-check. */
  readonly checkKey: string;
  readonly backend: BackendReport;
  readonly terminate: (reason: VoxlaneError) => void;
}

/** Options of a start. */
export interface StreamStart {
  readonly options: CheckedDiarizerOptions;
  readonly settings: StreamSettings;
  readonly signal?: AbortSignal | undefined;
}

/** Why a backend is not used. */
export interface StreamRefusal {
  /** A sentence for users. */
  readonly objection: string;
  /** The checks that failed, if any. */
  readonly checks: readonly ModelCheck[];
}

/** One way to compute the model. */
interface Candidate {
  readonly arithmetic: SortformerArithmetic;
  readonly checkKey: string;
  /** Whether the self-check is omitted. */
  readonly isTrusted: boolean;
  /** @returns why the candidate is not used, as a sentence for users; null if there is no reason */
  readonly objectionTo: (check: ModelCheck) => Promise<string | null>;
  readonly report: (checks: readonly ModelCheck[]) => BackendReport;
}

/** Form of the weights on WebGPU: half the memory of float32. The kernels compute in float32. */
export const GPU_FORM = 'float16';

/** Forms of the weights on WASM, in the order of the tries. The whole process takes 1.6 times the memory with float32. */
export const WASM_FORMS: readonly [WeightsForm, ...WeightsForm[]] = ['int8', 'float32'];

/** What a self-check shows. */
const REPRODUCED = 'reproduced the golden outputs of a model with random weights';

/**
 * Starts on our own WebGPU kernels with float16 weights. The GPU must pass the self-check, and, for the backend `auto`, compute it
 * faster than WASM. If `auto` was requested, weights that float16 cannot hold are an objection.
 *
 * @throws VoxlaneError `backend-unavailable` if WebGPU is required and the adapter is gone; `model-*`, `worker-failed`; `cancelled`
 */
export async function startStreamOnGpu(start: StreamStart, plan: BackendPlan): Promise<StreamEngine | StreamRefusal> {
  const { options, settings } = start;
  const { adapter, threads } = plan;
  const missing = await missingWeights(start);
  if (missing !== null) return { objection: missing, checks: [] };
  const checkKey = await streamCheckKey(options, settings, { threads, form: GPU_FORM, adapter });
  const isAuto = options.backend === 'auto';
  const objectionTo = async (check: ModelCheck): Promise<string | null> => {
    if (!check.passed) return describeFailure([check]);
    const seconds = isAuto ? await wasmSeconds(start) : Infinity;
    if (seconds >= check.seconds) return null;
    return `WASM was faster in a trial: ${seconds.toFixed(2)} s against ${check.seconds.toFixed(2)} s on WebGPU (${adapter?.name ?? ''})`;
  };
  const facts = options.trustGpu ? ['without a self-check'] : [`our WebGPU kernels ${REPRODUCED}`, isAuto && 'and were faster than WASM'];
  const reason = [plan.reason, ...facts].filter(Boolean).join(', ');
  const candidate: Candidate = {
    arithmetic: { ...filesOf(start), backend: 'webgpu', threads: 1, form: GPU_FORM },
    checkKey,
    isTrusted: options.trustGpu,
    objectionTo,
    report: (checks) => ({ name: 'webgpu', adapter: adapter?.name ?? null, threads: 0, reason, selfCheck: checks.length > 0 ? checks : null }),
  };
  try {
    // A GPU that is known to fail is not started.
    const known = options.trustGpu ? null : await recallCheck(checkKey);
    const objection = known && (await objectionTo(known));
    if (objection !== null) return { objection, checks: [known!] };
    return await startCandidate(start, candidate);
  } catch (error) {
    // Values that float16 cannot hold, among others. Weights that are wrong in every form are rejected on WASM, too.
    if (isAuto && error instanceof VoxlaneError && error.code === 'model-invalid') return { objection: `WebGPU cannot use the weights (${error.problem})`, checks: [] };
    if (!isGpuTrouble(error) || (options.backend === 'webgpu' && error.code === 'backend-unavailable')) throw error;
    return { objection: `WebGPU could not be started (${error.problem})`, checks: [] };
  }
}

/** Why the GPU cannot be used without a download: only the weights for WASM are stored. Null if it can be used. */
async function missingWeights({ options: { modelFile, modelsBase, trustUnknownModel: trustUnknown }, settings: { model: id } }: StreamStart): Promise<string | null> {
  if (modelFile) return null;
  const { manifest: { weights } } = await loadDiarizationFacts(id, modelsBase);
  const forms = storedForms(await new ModelStore().list(), { id, sources: [weights], trustUnknown });
  if (forms.size === 0 || forms.has(GPU_FORM)) return null;
  return `only ${[...forms].join(' and ')} weights are stored, and WebGPU needs ${GPU_FORM} weights: delete the model and load it again to use WebGPU`;
}

/**
 * Starts on ONNX Runtime on WASM with int8 weights, or with float32 weights if those give wrong values in this browser.
 *
 * @param why WASM is used, as a sentence for users
 * @param before checks of a GPU that was tried before
 * @throws VoxlaneError `backend-failed` if WASM computes wrong values; `model-*`, `worker-failed`; `cancelled`
 */
export async function startStreamOnWasm(start: StreamStart, { objection: why, checks: before }: StreamRefusal): Promise<StreamEngine> {
  const failures: ModelCheck[] = [];
  for (const form of WASM_FORMS) {
    const candidate = await onWasm(start, form, (checks) => {
      const other = failures.length > 0 ? `; ${describeFailure(failures)}` : '';
      return { selfCheck: [...before, ...failures, ...checks], reason: wasmReason(`${why}${other}; ONNX Runtime computes the model with ${form} weights, and ${REPRODUCED}`) };
    });
    const started = await startCandidate(start, candidate);
    if (!('objection' in started)) return started;
    failures.push(...started.checks);
  }
  throw wrongOnWasm(failures);
}

/** Never rejects: without storage, there is nothing to delete. */
async function discardConversions(id: string): Promise<void> {
  try {
    await new ModelStore().discardUnfinishedConversions(id);
  } catch {
    // The error of the start is reported.
  }
}

async function onWasm(start: StreamStart, form: WeightsForm, facts: (checks: readonly ModelCheck[]) => Pick<BackendReport, 'reason' | 'selfCheck'>): Promise<Candidate> {
  const { options, settings } = start;
  const threads = runtimeThreads(globalThis.crossOriginIsolated ? wasmThreads(options.threads) : 1);
  return {
    arithmetic: { ...filesOf(start), backend: 'wasm', threads, form },
    checkKey: await streamCheckKey(options, settings, { threads, form, adapter: null }),
    isTrusted: false,
    objectionTo: (check) => Promise.resolve(check.passed ? null : describeFailure([check])),
    report: (checks) => ({ name: 'wasm', adapter: null, threads, ...facts(checks) }),
  };
}

const filesOf = ({ options: { modelsBase, runtimeBase }, settings }: StreamStart): Pick<SortformerArithmetic, 'modelId' | 'modelsBase' | 'runtimeBase'> =>
  ({ modelId: settings.model, modelsBase, runtimeBase });

/** Seconds of the self-check on WASM; infinite if WASM fails it. */
async function wasmSeconds(start: StreamStart): Promise<number> {
  const { arithmetic, checkKey } = await onWasm(start, 'int8', () => ({ reason: '', selfCheck: null }));
  const check = await checkOnce(checkKey, async () => {
    const worker = spawnSortformerWorker();
    const stop = (reason: VoxlaneError): void => { worker.terminate(reason); };
    try {
      return await unlessAborted(start.signal, () => worker.call((api) => api.selfCheck(arithmetic)), { stop });
    } finally {
      stop(disturbed('the trial is over'));
    }
  });
  return check.passed ? check.seconds : Infinity;
}

/** Starts the workers, checks what computes the model, and loads the model. */
async function startCandidate({ options, settings, signal }: StreamStart, { arithmetic, checkKey, isTrusted, objectionTo, report }: Candidate): Promise<StreamEngine | StreamRefusal> {
  const { hub, modelFile, trustUnknownModel, onDownload } = options;
  const workers = { decode: spawnDecodeWorker(), sortformer: spawnSortformerWorker() };
  const voices = new VoicesOnDemand(options, settings);
  const terminate = (reason: VoxlaneError): void => {
    for (const worker of [...Object.values(workers), voices]) worker.terminate(reason);
  };
  const request = { ...arithmetic, hub, modelFile, modelName: modelFile instanceof File ? modelFile.name : undefined, trustUnknownModel };
  try {
    return await unlessAborted(signal, async () => {
      const checks: ModelCheck[] = [];
      // Before the download, which a machine that computes wrong values does not need.
      if (!isTrusted) {
        const check = await checkOnce(checkKey, () => workers.sortformer.call((api) => api.selfCheck(arithmetic)));
        checks.push(check);
        const objection = await objectionTo(check);
        if (objection !== null) {
          terminate(disturbed(objection));
          return { objection, checks };
        }
      }
      const listener = onDownload && proxy((progress: Omit<ModelDownload, 'model'>) => { onDownload({ model: settings.model, ...progress }); });
      const reply = await workers.sortformer.call((api) => api.load(request, listener ?? null));
      return { ...workers, ...reply, settings, voices, arithmetic, checkKey, backend: report(checks), terminate };
    }, { stop: terminate });
  } catch (error) {
    terminate(error instanceof VoxlaneError ? error : cancelled());
    // A worker that was ended in mid-conversion cannot delete what it has written.
    void discardConversions(settings.model);
    throw error;
  }
}
