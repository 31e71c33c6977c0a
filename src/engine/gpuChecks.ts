/** Checks and times the GPU before a run: golden outputs, results of WASM, batch size, and a trial against WASM. */
import type { SegmentationWorkerApi } from '../../workers/contracts';
import { spawnSegmentationWorker } from '../../workers/spawn';
import type { SegmentationManifest } from '../store/manifest';
import { unlessAborted } from '../util/abort';
import { Semaphore } from '../util/concurrency';
import { VoxlaneError } from '../util/errors';
import { type BackendPlan, findBatchSize, isMemoryError, planWorkers, windowsThatFit } from './backend';
import { type Engine, wasmArithmetic } from './engine';
import { ModelPool } from './modelPool';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { ModelCheck } from './types';
import { copyCheck, type Verdict } from './verdicts';

/** Options of a start with the plan derived from them. */
export interface Start {
  readonly options: CheckedDiarizerOptions;
  readonly settings: PipelineSettings;
  readonly plan: BackendPlan;
  readonly signal: AbortSignal | undefined;
}

/** The checks of a GPU, in order. Each runs only if all earlier ones passed. */
const CHECKS: readonly ((engine: Engine, goldensBase: CheckedDiarizerOptions['goldensBase'], numWindows: number) => Promise<ModelCheck>)[] = [
  (engine, goldensBase) => engine.segmentation.call((api) => api.selfCheck(goldensBase)),
  (engine, _, numWindows) => engine.segmentation.call((api) => api.selfCheckWindows(numWindows)),
  (engine, goldensBase) => engine.embedding.call((api) => api.selfCheck(goldensBase)),
  (engine, _, numWindows) => {
    const { windowSamples } = engine.segmentationManifest;
    return engine.embedding.call((api) => api.selfCheckWindows({ windowSamples, numWindows }));
  },
];

export const allPassed = (checks: readonly ModelCheck[]): boolean => checks.every(({ passed }) => passed);

/** Whether all checks were run and passed. */
export const isTrusted = ({ checks }: Verdict): boolean => checks.length === CHECKS.length && allPassed(checks);

/** Whether WASM was faster in the trial. */
export function isWasmFaster({ wasmSeconds, gpuSeconds }: Verdict): boolean {
  return wasmSeconds !== null && wasmSeconds < (gpuSeconds ?? Infinity);
}

/**
 * Completes the verdict of this adapter: first the golden segmentation and the batch size; then the same on WASM, if
 * the fastest backend was requested; the other checks only if the GPU can still be selected.
 */
export async function completeVerdict(engine: Engine, known: Verdict, start: Start): Promise<Verdict> {
  const { options } = start;
  const wantsFaster = options.backend === 'auto';
  const verdict: Verdict = { ...known, checks: [...known.checks], checkedAt: known.checks.length > 0 ? known.checkedAt : Date.now() };
  const { checks } = verdict;
  if (checks.length === 0) checks.push(copyCheck(await CHECKS[0]!(engine, options.goldensBase, 1)));
  if (!allPassed(checks)) return verdict;
  const goldenSeconds = checks[0]!.seconds;
  if (verdict.batchWindows === 0) {
    const { numWindows, gain } = await tuneBatch(engine, start, goldenSeconds);
    verdict.batchWindows = numWindows;
    verdict.gpuSeconds = goldenSeconds / gain;
  }
  if (wantsFaster) {
    verdict.wasmSeconds ??= await timeWasm(start);
    if (isWasmFaster(verdict)) return verdict;
  }
  while (checks.length < CHECKS.length && allPassed(checks)) {
    try {
      checks.push(copyCheck(await CHECKS[checks.length]!(engine, options.goldensBase, verdict.batchWindows)));
    } catch (error) {
      // A batch that fits one model may not fit the other: check and use half of it.
      if (!isMemoryError(error) || verdict.batchWindows === 1) throw error;
      verdict.batchWindows = Math.floor(verdict.batchWindows / 2);
      // The segmentation was checked with the larger batch.
      checks.length = 1;
    }
  }
  return verdict;
}

/** Repeats all checks, up to the first that fails. */
export async function selfCheckAgain(engine: Engine, { goldensBase }: CheckedDiarizerOptions): Promise<ModelCheck[]> {
  const checks: ModelCheck[] = [];
  for (const selfCheck of CHECKS) {
    if (!allPassed(checks)) break;
    checks.push(await selfCheck(engine, goldensBase, engine.batchWindows.current));
  }
  return checks;
}

/** Slow adapters are not tuned: larger batches would not help them. */
const SLOW_GOLDEN_SECONDS = 0.25;

/** The best batch size, and the speedup of a window in such a batch. */
async function tuneBatch(
  engine: Engine,
  { options, plan: { adapter } }: Start,
  goldenSeconds: number,
): Promise<{ readonly numWindows: number; readonly gain: number }> {
  if (options.batchWindows !== undefined) return { numWindows: options.batchWindows, gain: 1 };
  if (!adapter || goldenSeconds > SLOW_GOLDEN_SECONDS) return { numWindows: 1, gain: 1 };
  const perWindow = new Map<number, number>();
  const most = windowsThatFit(adapter.limits, engine.segmentationManifest.largestTensorBytes);
  const numWindows = await findBatchSize(most, async (size) => {
    const seconds = await engine.segmentation.call((api) => api.timeBatch(size)).catch((error: unknown) => {
      // Too large: the previous size was the best.
      if (isMemoryError(error) && size > 1) return Infinity;
      throw error;
    });
    perWindow.set(size, seconds / size);
    return seconds;
  });
  return { numWindows, gain: (perWindow.get(1) ?? 1) / (perWindow.get(numWindows) ?? 1) };
}

/** Seconds of the golden segmentation on WASM, with as many workers as in a run. Ends the workers. */
async function timeWasm({ options, settings, plan, signal }: Start): Promise<number> {
  const isIsolated = globalThis.crossOriginIsolated;
  const { workers, threads } = planWorkers(plan.threads, options.speed, isIsolated, settings.maxEmbedders).segmentation;
  const pool = new ModelPool<SegmentationManifest, SegmentationWorkerApi>(
    spawnSegmentationWorker,
    {
      modelId: settings.segmentation,
      modelsBase: options.modelsBase,
      runtimeBase: options.runtimeBase,
      backend: 'wasm',
      threads,
      hub: null,
      modelFile: undefined,
      modelName: undefined,
      trustUnknownModel: false,
      ownKernels: true,
      arithmetic: wasmArithmetic(options.speed),
    },
    workers,
    new Semaphore(Math.max(1, plan.threads)),
  );
  const stop = (reason: VoxlaneError): void => {
    pool.terminate(reason);
  };
  try {
    return await unlessAborted(signal, async () => {
      await pool.load();
      await pool.grow();
      // All workers at once, as in a run, where they share caches, memory and the power budget.
      const checks = await Promise.all(Array.from({ length: workers }, () => pool.call((api) => api.selfCheck(options.goldensBase))));
      return Math.max(...checks.map(({ seconds }) => seconds)) / workers;
    }, { stop });
  } finally {
    stop(new VoxlaneError({ code: 'worker-failed', problem: 'The worker was stopped after the trial' }));
  }
}
