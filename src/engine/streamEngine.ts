import { proxy } from 'comlink';
import type { SortformerReply } from '../../workers/contracts';
import { spawnDecodeWorker, spawnSortformerWorker } from '../../workers/spawn';
import { cancelled, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { runtimeThreads } from '../util/host';
import type { NetworkForm } from '../sortformer/networkCheck';
import { wasmReason, wasmThreads } from './backend';
import type { EngineSource } from './engineLifetime';
import type { CheckedDiarizerOptions } from './options';
import { describeFailure, disturbed, wrongOnWasm } from './selfCheck';
import type { StreamSettings } from './settings';
import { VoicesOnDemand } from './streamVoices';
import type { BackendReport, ModelCheck } from './types';
import { checkOnce, streamCheckKey } from './verdicts';

/** The workers of a streamed pipeline, with the loaded model. */
export interface StreamEngine extends SortformerReply {
  readonly decode: ReturnType<typeof spawnDecodeWorker>;
  readonly sortformer: ReturnType<typeof spawnSortformerWorker>;
  readonly settings: StreamSettings;
  /** For runs with embeddings. */
  readonly voices: VoicesOnDemand;
  readonly backend: BackendReport;
  readonly terminate: (reason: VoxlaneError) => void;
}

/** The engines of streamed pipelines. A failure is final: the state of the recording is lost with its worker. */
export function streamSource(options: CheckedDiarizerOptions, settings: StreamSettings): EngineSource<StreamEngine> {
  return {
    hasEnded: ({ decode, sortformer }) => decode.end !== null || sortformer.end !== null,
    start: (signal) => startStreamEngine(options, settings, signal),
    recover: () => Promise.resolve(null),
  };
}

/**
 * Starts the workers and loads the model on WASM, the only backend so far: with int8 weights, or with float32 weights if the
 * integer products of this browser do not reproduce the golden outputs.
 *
 * @throws VoxlaneError `backend-unavailable` if WebGPU is required; `backend-failed` if WASM computes wrong values; `model-*`,
 *   `worker-failed`; `cancelled` if `signal` fires
 */
export async function startStreamEngine(options: CheckedDiarizerOptions, settings: StreamSettings, signal?: AbortSignal): Promise<StreamEngine> {
  const { backend } = options;
  if (backend === 'webgpu') throw withoutGpu(settings);
  const why = backend === 'wasm' ? 'WASM was requested' : `${settings.preset} does not run on WebGPU yet`;
  const failures: ModelCheck[] = [];
  for (const form of WASM_FORMS) {
    const started = await startOnWasm({ options, settings, signal, form }, why, failures);
    if ('terminate' in started) return started;
    failures.push(started);
  }
  throw wrongOnWasm(failures);
}

/** Forms of the weights on WASM, in the order of the tries. float32 takes four times the memory and 2.6 times as long. */
export const WASM_FORMS: readonly [NetworkForm, ...NetworkForm[]] = ['int8', 'float32'];

interface StreamStart {
  readonly options: CheckedDiarizerOptions;
  readonly settings: StreamSettings;
  readonly signal: AbortSignal | undefined;
  readonly form: NetworkForm;
}

/** @returns the engine, or the check that WASM failed with this form */
async function startOnWasm({ options, settings, signal, form }: StreamStart, why: string, failures: readonly ModelCheck[]): Promise<StreamEngine | ModelCheck> {
  const { modelsBase, runtimeBase, hub, modelFile, trustUnknownModel, onDownload } = options;
  const threads = runtimeThreads(globalThis.crossOriginIsolated ? wasmThreads(options.threads) : 1);
  const workers = { decode: spawnDecodeWorker(), sortformer: spawnSortformerWorker() };
  const voices = new VoicesOnDemand(options, settings);
  const terminate = (reason: VoxlaneError): void => {
    for (const worker of [...Object.values(workers), voices]) worker.terminate(reason);
  };
  const arithmetic = { modelId: settings.model, modelsBase, runtimeBase, threads, form };
  const request = { ...arithmetic, hub, modelFile, modelName: modelFile instanceof File ? modelFile.name : undefined, trustUnknownModel };
  try {
    return await unlessAborted(signal, async () => {
      // Before the download, which a browser that computes wrong values does not need.
      const check = await checkOnce(await streamCheckKey(options, settings, threads, form), () => workers.sortformer.call((api) => api.selfCheck(arithmetic)));
      if (!check.passed) {
        terminate(disturbed(describeFailure([check])));
        return check;
      }
      const listener = onDownload && proxy((progress: { readonly receivedBytes: number; readonly totalBytes: number }) => { onDownload({ model: settings.model, ...progress }); });
      const reply = await workers.sortformer.call((api) => api.load(request, listener ?? null));
      const backend = { name: 'wasm', adapter: null, threads, reason: reasonOf(why, form, failures), selfCheck: [...failures, check] } as const;
      return { ...workers, ...reply, settings, voices, backend, terminate };
    }, { stop: terminate });
  } catch (error) {
    terminate(error instanceof VoxlaneError ? error : cancelled());
    throw error;
  }
}

function reasonOf(why: string, form: NetworkForm, failures: readonly ModelCheck[]): string {
  const other = failures.length > 0 ? `; ${describeFailure(failures)}` : '';
  return wasmReason(`${why}${other}; ONNX Runtime computes the model with ${form} weights, and reproduced the golden outputs of a model with random weights`);
}

const withoutGpu = ({ preset }: StreamSettings): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-unavailable',
    problem: `WebGPU was requested, but the preset ${preset} does not run on WebGPU yet`,
    expected: 'the backend `auto` or `wasm` with this preset',
    remedy: 'Use the backend `auto` or `wasm`',
  });
