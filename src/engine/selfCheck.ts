import { unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { type BackendPlan, planBackend, wasmReason, wasmThreads } from './backend';
import { type Engine, startEngine } from './engine';
import { allPassed, completeVerdict, isTrusted, isWasmFaster, selfCheckAgain, type Start } from './gpuChecks';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { BackendReport, ModelCheck } from './types';
import {
  checkOnce,
  copyCheck,
  expectedModels,
  kernelCircumstances,
  NO_VERDICT,
  recallVerdict,
  recallCheck,
  rememberVerdict,
  runtimeCircumstances,
  type Verdict,
  verdictCircumstances,
  verdictKey,
  checkKey,
} from './verdicts';
import { HOST, UPDATE } from '../util/host';

/** Merges the checks of each model on one backend into one with all their stages. */
function byModel(checks: readonly ModelCheck[]): ModelCheck[] {
  const models = new Map<string, ModelCheck>();
  for (const check of checks) {
    const key = `${check.backend} ${check.model}`;
    const before = models.get(key);
    models.set(key, before ? { ...before, passed: before.passed && check.passed, stages: [...before.stages, ...check.stages] } : check);
  }
  return [...models.values()];
}

/** Result of the self-check on WASM. */
interface WasmCheck {
  /** One check per model whose golden outputs could be read. */
  readonly checks: readonly ModelCheck[];
  /** Why a model could not be checked; null if all were checked. */
  readonly obstacle: string | null;
}

/**
 * The stored failures of the WASM kernels with a model of these settings.
 *
 * @returns the failed checks; empty if there are none
 */
async function knownFailures(options: CheckedDiarizerOptions, settings: PipelineSettings): Promise<readonly ModelCheck[]> {
  const expected = await expectedModels(options, settings);
  if (!expected) return [];
  const circumstances = kernelCircumstances(options);
  const hashes = [expected.segmentationModel, expected.embeddingModel];
  const checks = await Promise.all(hashes.map((sha256) => recallCheck(checkKey(circumstances, sha256))));
  return checks.filter((check) => check !== null && !check.passed && check.backend === 'kernels') as ModelCheck[];
}

/**
 * Checks each model that has golden outputs, unless its verdict is stored. A browser can compile the SIMD of the WASM
 * kernels incorrectly, so each model must reproduce its golden outputs before it is used. Verdicts are stored for 30
 * days, by browser, release, SIMD and model file. If golden outputs cannot be fetched or read, the model is not checked, and
 * `obstacle` has the reason.
 *
 * @param ownKernels whether the engine was started with the WASM kernels
 * @throws VoxlaneError `cancelled`, and other errors of a worker
 */
async function checkWasm(
  engine: Engine,
  options: CheckedDiarizerOptions,
  ownKernels: boolean,
  signal: AbortSignal | undefined,
): Promise<WasmCheck> {
  return unlessAborted(signal, async () => {
    const circumstances = ownKernels ? kernelCircumstances(options) : await runtimeCircumstances(options, engine.backend.threads);
    const results = await Promise.all(engine.withGoldens.map((stage) => checkModel(engine, stage, circumstances, options)));
    return {
      checks: results.filter((result) => typeof result !== 'string'),
      obstacle: results.find((result) => typeof result === 'string') ?? null,
    };
  }, { stop: engine.terminate });
}

/** Checks one model. Returns its check, or the reason why it could not be checked. */
async function checkModel(
  engine: Engine,
  stage: Engine['withGoldens'][number],
  circumstances: string,
  { goldensBase }: CheckedDiarizerOptions,
): Promise<ModelCheck | string> {
  const key = checkKey(circumstances, stage === 'segmentation' ? engine.segmentationModel : engine.embeddingModel);
  try {
    return await checkOnce(key, () => stage === 'segmentation'
      ? engine.segmentation.call((api) => api.selfCheck(goldensBase))
      : engine.embedding.call((api) => api.selfCheck(goldensBase)));
  } catch (error) {
    const noGoldens = error instanceof VoxlaneError && (error.code === 'model-missing' || error.code === 'format');
    if (!noGoldens) throw error;
    return error.problem;
  }
}

/**
 * Starts the pipeline on the fastest backend that passes its checks.
 *
 * A GPU must reproduce the golden outputs of both models, and the results of WASM at the window length and batch size
 * of a run. Our own kernels are tried first. If they are wrong or fail, ONNX Runtime is tried on the same GPU, unless the
 * device was lost or is out of memory. The verdicts are stored for 30 days, by driver, browser, kernels or runtime, and
 * model files. If both fail, WASM is used, and the report has the wrong stage and its deviation. See {@link startOnWasm}
 * for the check on WASM.
 *
 * @throws VoxlaneError `backend-unavailable` if `webgpu` is required and not available; the errors of {@link
 * startEngine}
 */
export async function startTrustedEngine(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  signal?: AbortSignal,
): Promise<Engine> {
  const plan = await planBackend(options.backend, options.threads);
  if (plan.name === 'wasm') return startOnWasm(options, settings, plan.reason, null, signal);
  return startOnGpu({ options, settings, plan, signal }, null);
}

/** @param refusal why our own GPU kernels are not used, with the checks that they failed; null to use them */
async function startOnGpu(start: Start, refusal: Refused | null): Promise<Engine> {
  const { options, settings, signal } = start;
  const ownKernels = refusal === null;
  const reason = [start.plan.reason, refusal && `ONNX Runtime computes the models: ${refusal.objection}`].filter(Boolean).join('; ');
  const startWithout = (why: string): Promise<Engine> =>
    startOnWasm(options, settings, refusal ? `${refusal.objection}; ${why}` : why, refusal?.checks ?? null, signal);
  const plan = { ...start.plan, reason };
  const circumstances = await verdictCircumstances(options, settings, plan, ownKernels);
  const expected = options.trustGpu ? null : await expectedModels(options, settings);
  const expectedKey = expected && verdictKey(circumstances, expected);
  const expectedVerdict = expectedKey === null ? null : await recallVerdict(expectedKey);
  const objection = expectedVerdict && objectionTo(expectedVerdict, options, plan);
  if (objection) return startAfter(start, objection, expectedVerdict.checks, ownKernels && !allPassed(expectedVerdict.checks));
  let engine: Engine;
  try {
    engine = await startEngine(options, settings, gpuReport(plan, plan.reason, null), signal, ownKernels);
  } catch (error) {
    if (!isGpuTrouble(error)) throw error;
    // The planned adapter is gone.
    if (options.backend === 'webgpu' && error.code === 'backend-unavailable') throw error;
    return startWithout(`WebGPU could not be started (${error.problem})`);
  }
  let judged: Engine | Refused;
  try {
    judged = await unlessAborted(signal, async () => {
      // The verdict must be for the files that were loaded.
      const key = verdictKey(circumstances, engine);
      const known = key === expectedKey || options.trustGpu ? expectedVerdict : await recallVerdict(key);
      return judgeEngine({ ...engine, verdictKey: key }, known, { ...start, plan });
    }, { stop: engine.terminate });
  } catch (error) {
    engine.terminate(error instanceof VoxlaneError ? error : disturbed(error));
    // Without golden outputs, the GPU cannot be checked; use WASM.
    const noGoldens = error instanceof VoxlaneError && (error.code === 'model-missing' || error.code === 'format');
    if (!noGoldens && !isGpuTrouble(error)) throw error;
    const problem = `WebGPU could not be checked (${error.problem})`;
    return ownKernels && areKernelsAtFault(error) ? startAfter(start, problem, [], true) : startWithout(problem);
  }
  if (!('objection' in judged)) return judged;
  engine.terminate(disturbed(judged.objection));
  return startAfter(start, judged.objection, judged.checks, ownKernels && !allPassed(judged.checks));
}

/** Why a GPU is not used. */
interface Refused {
  /** A sentence for users. */
  readonly objection: string;
  readonly checks: Verdict['checks'];
}

/**
 * Starts the next candidate after an objection.
 *
 * @param withRuntime whether ONNX Runtime can be right on this GPU: it is tried before WASM
 */
async function startAfter(start: Start, objection: string, checks: Verdict['checks'], withRuntime: boolean): Promise<Engine> {
  let why = objection;
  if (withRuntime) {
    try {
      return await startOnGpu(start, { objection, checks });
    } catch (error) {
      // A page can omit ONNX Runtime, because the bundled models do not need it on WASM.
      if (!(error instanceof VoxlaneError && error.code === 'model-missing')) throw error;
      why += `; ${error.problem}`;
    }
  }
  return startOnWasm(start.options, start.settings, why, checks, start.signal);
}

/**
 * Whether our own kernels can be the cause of an error on a GPU. ONNX Runtime needs more memory than they do, and a lost
 * device takes seconds to return and may be lost again, so neither is a reason to try it.
 */
function areKernelsAtFault({ code }: VoxlaneError): boolean {
  return code === 'gpu-wrong' || code === 'backend-failed';
}

/** Whether the GPU caused an error, rather than the input or the caller. */
export function isGpuTrouble(error: unknown): error is VoxlaneError {
  if (!(error instanceof VoxlaneError)) return false;
  return error.code.startsWith('gpu-') || error.code === 'backend-failed' || error.code === 'backend-unavailable';
}

/** Repeats the check and ignores stored verdicts, for results that look wrong during a run. Stores a failure. */
export async function checkAgain(engine: Engine, options: CheckedDiarizerOptions): Promise<readonly ModelCheck[]> {
  const checks = await selfCheckAgain(engine, options);
  if (!allPassed(checks)) {
    await rememberVerdict(engine.verdictKey, { ...NO_VERDICT, checkedAt: Date.now(), checks: checks.map(copyCheck) });
  }
  return checks;
}

/**
 * Starts on WASM and reports why. Models with golden outputs must reproduce them on WASM too: if the WASM kernels do
 * not, ONNX Runtime replaces them, and the report has the wrong stage and its deviation. Without golden outputs, the
 * kernels run unchecked, and the report states it.
 *
 * @param gpuChecks checks of a GPU that was tried before
 * @throws VoxlaneError `backend-failed` if ONNX Runtime does not reproduce the golden outputs either; the errors of
 * {@link startEngine}
 */
export async function startOnWasm(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  why: string,
  gpuChecks: readonly ModelCheck[] | null,
  signal?: AbortSignal,
): Promise<Engine> {
  // Failures of the WASM kernels.
  let failures = await knownFailures(options, settings);
  for (;;) {
    const ownKernels = failures.length === 0;
    const before = [...(gpuChecks ?? []), ...failures];
    const reason = ownKernels ? why : `${why}; ONNX Runtime computes the models: ${describeFailure(failures)}`;
    const engine = await startEngine(options, settings, wasmReport(options, reason, before), signal, ownKernels);
    try {
      const { checks, obstacle } = await checkWasm(engine, options, ownKernels, signal);
      if (allPassed(checks)) {
        const computing = ownKernels ? 'our WASM kernels' : 'ONNX Runtime';
        const full = obstacle === null ? reason : `${reason}; ${computing} ran without a full self-check (${obstacle})`;
        return { ...engine, backend: wasmReport(options, full, [...before, ...checks]) };
      }
      engine.terminate(disturbed(describeFailure(checks)));
      if (!checks.some(({ passed, backend }) => !passed && backend === 'kernels')) throw wrongOnWasm(checks);
      failures = checks;
    } catch (error) {
      engine.terminate(error instanceof VoxlaneError ? error : disturbed(error));
      throw error;
    }
  }
}

function wasmReport({ threads }: CheckedDiarizerOptions, why: string, checks: readonly ModelCheck[]): BackendReport {
  const selfCheck = checks.length > 0 ? byModel(checks) : null;
  return { name: 'wasm', adapter: null, threads: wasmThreads(threads), reason: wasmReason(why), selfCheck };
}

/** The error for checks of which the last failed on WASM. */
export function wrongOnWasm(checks: readonly ModelCheck[]): VoxlaneError {
  return new VoxlaneError({
    code: 'backend-failed',
    problem: `WASM returns wrong results in ${HOST}: ${describeFailure(checks)}`,
    expected: 'the golden outputs of the models, within their tolerance',
    remedy:
      `${UPDATE}. If you serve your own models, serve their golden outputs too, or no golden outputs: see the option \`goldens\``,
  });
}

/** Start of a sentence: what computed a check. */
const COMPUTED_BY: Readonly<Record<ModelCheck['backend'], string>> = {
  webgpu: 'WebGPU',
  kernels: 'Our WASM kernels',
  wasm: 'ONNX Runtime on WASM',
};

/** The first wrong stage with its deviation, as a sentence for users. */
export function describeFailure(checks: readonly ModelCheck[]): string {
  const check = checks.find(({ passed }) => !passed);
  const stage = check?.stages.find(({ passed }) => !passed);
  if (!check || !stage) return 'the self-check passed';
  const failed = `${COMPUTED_BY[check.backend]} failed ${check.backend === 'kernels' ? 'their' : 'its'} self-check`;
  if (!(stage.maxAbs < Number.MAX_VALUE)) return `${failed}: ${stage.stage}`;
  const { maxAbs, tolerance } = stage;
  return `${failed}: stage ${stage.stage} deviates by ${maxAbs.toPrecision(3)}, tolerance ${tolerance.maxAbs}`;
}

/** The engine with its report, or why it must not be used. */
async function judgeEngine(engine: Engine, known: Verdict | null, start: Start): Promise<Engine | Refused> {
  const { options, plan } = start;
  if (options.trustGpu) {
    const reason = [plan.reason, 'without a self-check'].filter(Boolean).join(', ');
    engine.batchWindows.current = options.batchWindows ?? 1;
    return { ...engine, backend: gpuReport(plan, reason, null) };
  }
  const verdict = await completeVerdict(engine, known ?? NO_VERDICT, start);
  await rememberVerdict(engine.verdictKey, verdict);
  // A GPU needs a complete verdict.
  const objection = objectionTo(verdict, options, plan) ?? (isTrusted(verdict) ? null : 'the self-check of WebGPU is incomplete');
  if (objection) return { objection, checks: verdict.checks };
  engine.batchWindows.current = verdict.batchWindows;
  const faster = options.backend === 'auto' && 'and was faster than WASM';
  const facts = [plan.reason, 'the GPU reproduced the golden outputs and the results of WASM', faster];
  return { ...engine, backend: gpuReport(plan, facts.filter(Boolean).join(', '), verdict.checks) };
}

/** Why a GPU should not be used, as a sentence for users; null if there is no reason yet. */
function objectionTo(verdict: Verdict, { backend }: CheckedDiarizerOptions, plan: BackendPlan): string | null {
  if (!allPassed(verdict.checks)) return describeFailure(verdict.checks);
  if (backend !== 'auto' || !isWasmFaster(verdict)) return null;
  const [wasm, gpu] = [verdict.wasmSeconds ?? 0, verdict.gpuSeconds ?? 0].map((seconds) => seconds.toFixed(2));
  return `WASM was faster in a trial: ${wasm} s against ${gpu} s on WebGPU (${plan.adapter?.name ?? ''})`;
}

function gpuReport({ adapter }: BackendPlan, reason: string, selfCheck: readonly ModelCheck[] | null): BackendReport {
  return { name: 'webgpu', adapter: adapter?.name ?? null, threads: 0, reason, selfCheck: selfCheck && byModel(selfCheck) };
}

/** The reason of a worker's end, if it was not its own failure. */
export function disturbed(why: unknown): VoxlaneError {
  return new VoxlaneError({ code: 'worker-failed', problem: `The worker was stopped: ${String(why)}` });
}
