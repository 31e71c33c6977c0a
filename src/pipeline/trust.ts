import { VoxlaneError } from '../util/errors';
import { planBackend, wasmReason, wasmThreads, type BackendPlan } from './backend';
import { startEngine, untilAborted, type Engine } from './engine';
import { allPassed, byModel, completeVerdict, isTrusted, isWasmFaster, proveAgain, type Start } from './gpuTrial';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { BackendReport, ModelProof } from './types';
import { checkWasm, knownFailures } from './wasmCheck';
import { copyProof, expectedModels, NO_VERDICT, recallVerdict, rememberVerdict, verdictCircumstances, verdictKey, type Verdict } from './verdicts';

/**
 * Starts the pipeline on the fastest backend that can be trusted.
 *
 * A GPU is trusted after it has reproduced the golden outputs of both models, and the results of WASM at the length and the
 * batch size of a run. The verdict is stored for 30 days, for this driver, browser, runtime and these model files. If the GPU
 * fails, WASM runs, and the report gives the wrong stage and its difference. See {@link startOnWasm} for the check there.
 *
 * @throws VoxlaneError `backend-unavailable` if `webgpu` is required and not available; what {@link startEngine} throws
 */
export async function startTrustedEngine(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  signal?: AbortSignal,
): Promise<Engine> {
  const plan = await planBackend(options.backend, options.threads);
  if (plan.name === 'wasm') return startOnWasm(options, settings, plan.reason, null, signal);
  const circumstances = await verdictCircumstances(options, plan);
  const expected = options.trustGpu ? null : await expectedModels(options, settings);
  const expectedKey = expected && verdictKey(circumstances, expected);
  const expectedVerdict = expectedKey === null ? null : await recallVerdict(expectedKey);
  const objection = expectedVerdict && objectionTo(expectedVerdict, options, plan);
  if (objection) return startOnWasm(options, settings, objection, expectedVerdict.proofs, signal);
  let engine: Engine;
  try {
    engine = await startEngine(options, settings, gpuReport(plan, plan.reason, null), signal);
  } catch (error) {
    if (!isGpuTrouble(error)) throw error;
    // The planned adapter is gone.
    if (options.backend === 'webgpu' && error.code === 'backend-unavailable') throw error;
    return startOnWasm(options, settings, `WebGPU could not be started (${error.problem})`, null, signal);
  }
  try {
    return await untilAborted(signal, engine.terminate, async () => {
      // The verdict must be of the files that were loaded.
      const key = verdictKey(circumstances, engine);
      const known = key === expectedKey || options.trustGpu ? expectedVerdict : await recallVerdict(key);
      return judgeEngine({ ...engine, verdictKey: key }, known, { options, settings, plan, signal });
    });
  } catch (error) {
    engine.terminate(error instanceof VoxlaneError ? error : disturbed(error));
    // Without golden outputs there is no trust, but there is still WASM.
    const noGoldens = error instanceof VoxlaneError && (error.code === 'model-missing' || error.code === 'format');
    if (!noGoldens && !isGpuTrouble(error)) throw error;
    return startOnWasm(options, settings, `WebGPU could not be checked (${error.problem})`, null, signal);
  }
}

/** Whether an error says that the GPU, not the input or the caller, is at fault. */
export function isGpuTrouble(error: unknown): error is VoxlaneError {
  if (!(error instanceof VoxlaneError)) return false;
  return error.code.startsWith('gpu-') || error.code === 'backend-failed' || error.code === 'backend-unavailable';
}

/** Runs the check again, whatever was remembered: for results that look wrong in mid-run. A failure is remembered. */
export async function checkAgain(engine: Engine, options: CheckedDiarizerOptions): Promise<readonly ModelProof[]> {
  const proofs = await proveAgain(engine, options);
  if (!allPassed(proofs)) {
    await rememberVerdict(engine.verdictKey, { ...NO_VERDICT, checkedAt: Date.now(), proofs: proofs.map(copyProof) });
  }
  return proofs;
}

/**
 * Starts anew on WASM, and says why. Models with golden outputs must reproduce them there too: if our kernels do not, ONNX
 * Runtime computes in their place, and the report gives the wrong stage and its difference. Without golden outputs at hand, the
 * kernels run unchecked, and the report says so.
 *
 * @param gpuProofs of a GPU that was checked before
 * @throws VoxlaneError `backend-failed` if ONNX Runtime does not reproduce the golden outputs either; what {@link startEngine}
 *   throws
 */
export async function startOnWasm(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  why: string,
  gpuProofs: readonly ModelProof[] | null,
  signal?: AbortSignal,
): Promise<Engine> {
  // Of our kernels.
  let failures = await knownFailures(options, settings);
  for (;;) {
    const ownKernels = failures.length === 0;
    const before = [...(gpuProofs ?? []), ...failures];
    const reason = ownKernels ? why : `${why}; ONNX Runtime computes the models: ${describeFailure(failures)}`;
    const engine = await startEngine(options, settings, wasmReport(options, reason, before), signal, ownKernels);
    try {
      const { proofs, obstacle } = await checkWasm(engine, options, ownKernels, signal);
      if (allPassed(proofs)) {
        const computing = ownKernels ? 'our WASM kernels' : 'ONNX Runtime';
        const full = obstacle === null ? reason : `${reason}; ${computing} ran without a full self-check (${obstacle})`;
        return { ...engine, backend: wasmReport(options, full, [...before, ...proofs]) };
      }
      engine.terminate(disturbed(describeFailure(proofs)));
      if (!proofs.some(({ passed, backend }) => !passed && backend === 'kernels')) throw wrongOnWasm(proofs);
      failures = proofs;
    } catch (error) {
      engine.terminate(error instanceof VoxlaneError ? error : disturbed(error));
      throw error;
    }
  }
}

function wasmReport({ threads }: CheckedDiarizerOptions, why: string, proofs: readonly ModelProof[]): BackendReport {
  const selfCheck = proofs.length > 0 ? byModel(proofs) : null;
  return { name: 'wasm', adapter: null, threads: wasmThreads(threads), reason: wasmReason(why), selfCheck };
}

function wrongOnWasm(proofs: readonly ModelProof[]): VoxlaneError {
  return new VoxlaneError({
    code: 'backend-failed',
    problem: `WASM gives wrong results in this browser: ${describeFailure(proofs)}`,
    expected: 'the golden outputs of the models, within their tolerance',
    remedy:
      'Update the browser or use another one. If you serve models of your own, serve their golden outputs too, or none: see the option `goldens`',
  });
}

/** What computed a proof, at the start of a sentence. */
const COMPUTED_BY: Readonly<Record<ModelProof['backend'], string>> = {
  webgpu: 'WebGPU',
  kernels: 'Our WASM kernels',
  wasm: 'ONNX Runtime on WASM',
};

/** For people: the first stage that is wrong, and by how much. */
export function describeFailure(proofs: readonly ModelProof[]): string {
  const proof = proofs.find(({ passed }) => !passed);
  const stage = proof?.stages.find(({ passed }) => !passed);
  if (!proof || !stage) return 'the self-check passed';
  const failed = `${COMPUTED_BY[proof.backend]} failed ${proof.backend === 'kernels' ? 'their' : 'its'} self-check`;
  if (!(stage.maxAbs < Number.MAX_VALUE)) return `${failed}: ${stage.stage}`;
  const { maxAbs, tolerance } = stage;
  return `${failed}: stage ${stage.stage} is off by ${maxAbs.toPrecision(3)}, allowed are ${tolerance.maxAbs}`;
}

async function judgeEngine(engine: Engine, known: Verdict | null, start: Start): Promise<Engine> {
  const { options, settings, plan, signal } = start;
  if (options.trustGpu) {
    const reason = [plan.reason, 'without a self-check'].filter(Boolean).join(', ');
    engine.batchWindows.current = options.batchWindows ?? 1;
    return { ...engine, backend: gpuReport(plan, reason, null) };
  }
  const verdict = await completeVerdict(engine, known ?? NO_VERDICT, start);
  await rememberVerdict(engine.verdictKey, verdict);
  // A GPU needs a complete verdict.
  const objection = objectionTo(verdict, options, plan) ?? (isTrusted(verdict) ? null : 'the self-check of WebGPU is incomplete');
  if (objection) {
    engine.terminate(disturbed(objection));
    return startOnWasm(options, settings, objection, verdict.proofs, signal);
  }
  engine.batchWindows.current = verdict.batchWindows;
  const faster = options.backend === 'auto' && 'and was faster than WASM';
  const facts = [plan.reason, 'the GPU reproduced the golden outputs and the results of WASM', faster];
  return { ...engine, backend: gpuReport(plan, facts.filter(Boolean).join(', '), verdict.proofs) };
}

/** Why a GPU should not be used, for people; null where nothing speaks against it, or not yet. */
function objectionTo(verdict: Verdict, { backend }: CheckedDiarizerOptions, plan: BackendPlan): string | null {
  if (!allPassed(verdict.proofs)) return describeFailure(verdict.proofs);
  if (backend !== 'auto' || !isWasmFaster(verdict)) return null;
  const [wasm, gpu] = [verdict.wasmSeconds ?? 0, verdict.gpuSeconds ?? 0].map((seconds) => seconds.toFixed(2));
  return `WASM was faster in a trial: ${wasm} s against ${gpu} s on WebGPU (${plan.adapter?.name ?? ''})`;
}

function gpuReport({ adapter }: BackendPlan, reason: string, selfCheck: readonly ModelProof[] | null): BackendReport {
  return { name: 'webgpu', adapter: adapter?.name ?? null, threads: 0, reason, selfCheck: selfCheck && byModel(selfCheck) };
}

function disturbed(why: unknown): VoxlaneError {
  return new VoxlaneError({ code: 'worker-failed', problem: `The worker was ended: ${String(why)}` });
}
