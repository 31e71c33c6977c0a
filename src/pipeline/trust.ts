import { VoxlaneError } from '../util/errors';
import { planBackend, wasmReason, wasmThreads, type BackendPlan } from './backend';
import { startEngine, untilAborted, type Engine } from './engine';
import { allPassed, byModel, completeVerdict, isTrusted, isWasmFaster, proveAgain, type Start } from './gpuTrial';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { BackendReport, ModelProof } from './types';
import { copyProof, expectedModels, NO_VERDICT, recallVerdict, rememberVerdict, verdictCircumstances, verdictKey, type Verdict } from './verdicts';

/**
 * Starts the pipeline on the fastest backend that can be trusted.
 *
 * A GPU is trusted after it has reproduced the golden outputs of both models, and the results of WASM at the length and the
 * batch size of a run. The verdict is stored for 30 days, for this driver, browser, runtime and these model files. If the GPU
 * fails, WASM runs, and the report gives the wrong stage and its difference.
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

/** Starts anew on WASM, and says why. */
export function startOnWasm(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  why: string,
  selfCheck: readonly ModelProof[] | null,
  signal?: AbortSignal,
): Promise<Engine> {
  const threads = wasmThreads(options.threads);
  const report: BackendReport = { name: 'wasm', adapter: null, threads, reason: wasmReason(why), selfCheck: selfCheck && byModel(selfCheck) };
  return startEngine(options, settings, report, signal);
}

/** For people: the first stage that is wrong, and by how much. */
export function describeFailure(proofs: readonly ModelProof[]): string {
  const stage = proofs.flatMap((proof) => proof.stages).find(({ passed }) => !passed);
  if (!stage) return 'the self-check passed';
  if (!(stage.maxAbs < Number.MAX_VALUE)) return `WebGPU failed its self-check: ${stage.stage}`;
  const { maxAbs, tolerance } = stage;
  return `WebGPU failed its self-check: stage ${stage.stage} is off by ${maxAbs.toPrecision(3)}, allowed are ${tolerance.maxAbs}`;
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
