import { VoxlaneError } from '../util/errors';
import { Slots } from '../util/slots';
import { spawnSegmentationWorker } from '../../workers/spawn';
import type { SegmentationWorkerApi } from '../../workers/contracts';
import type { SegmentationManifest } from '../store/manifest';
import type { BackendPlan } from './backend';
import { findBatchSize, windowsThatFit } from './batchSize';
import { untilAborted, type Engine } from './engine';
import { planLanes } from './lanes';
import { ModelPool } from './modelPool';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { ModelProof } from './types';
import { copyProof, type Verdict } from './verdicts';

/** Options of a start, and the plan made from them. */
export interface Start {
  readonly options: CheckedDiarizerOptions;
  readonly settings: PipelineSettings;
  readonly plan: BackendPlan;
  readonly signal: AbortSignal | undefined;
}

/** The checks of a GPU, in order. Each runs only if all before it passed. */
const PROOFS: readonly ((engine: Engine, goldensBase: CheckedDiarizerOptions['goldensBase'], numWindows: number) => Promise<ModelProof>)[] = [
  (engine, goldensBase) => engine.segmentation.call((api) => api.prove(goldensBase)),
  (engine, _, numWindows) => engine.segmentation.call((api) => api.proveWindows(numWindows)),
  (engine, goldensBase) => engine.embedding.call((api) => api.prove(goldensBase)),
  (engine, _, numWindows) => {
    const { windowSamples } = engine.segmentationManifest;
    return engine.embedding.call((api) => api.proveWindows({ windowSamples, numWindows }));
  },
];

export const allPassed = (proofs: readonly ModelProof[]): boolean => proofs.every(({ passed }) => passed);

/** Whether all checks were made and passed. */
export const isTrusted = ({ proofs }: Verdict): boolean => proofs.length === PROOFS.length && allPassed(proofs);

/** Whether WASM was faster in the trial. */
export function isWasmFaster({ wasmSeconds, gpuSeconds }: Verdict): boolean {
  return wasmSeconds !== null && wasmSeconds < (gpuSeconds ?? Infinity);
}

/**
 * Completes what is known of this adapter: first the golden segmentation and the batch size, then the same on WASM if the
 * faster backend is wanted, and the other checks only if the GPU can still be chosen.
 */
export async function completeVerdict(engine: Engine, known: Verdict, start: Start): Promise<Verdict> {
  const { options } = start;
  const wantsFaster = options.backend === 'auto';
  const verdict: Verdict = { ...known, proofs: [...known.proofs], checkedAt: known.proofs.length > 0 ? known.checkedAt : Date.now() };
  const { proofs } = verdict;
  if (proofs.length === 0) proofs.push(copyProof(await PROOFS[0]!(engine, options.goldensBase, 1)));
  if (!allPassed(proofs)) return verdict;
  const goldenSeconds = proofs[0]!.seconds;
  if (verdict.batchWindows === 0) {
    const { numWindows, gain } = await tuneBatch(engine, start, goldenSeconds);
    verdict.batchWindows = numWindows;
    verdict.gpuSeconds = goldenSeconds / gain;
  }
  if (wantsFaster) {
    verdict.wasmSeconds ??= await timeWasm(start);
    if (isWasmFaster(verdict)) return verdict;
  }
  while (proofs.length < PROOFS.length && allPassed(proofs)) {
    try {
      proofs.push(copyProof(await PROOFS[proofs.length]!(engine, options.goldensBase, verdict.batchWindows)));
    } catch (error) {
      // A batch that fits one model may not fit the other: check and use half of it.
      if (!isMemoryError(error) || verdict.batchWindows === 1) throw error;
      verdict.batchWindows = Math.floor(verdict.batchWindows / 2);
      // The segmentation was checked with the larger batch.
      proofs.length = 1;
    }
  }
  return verdict;
}

/** Repeats all checks, up to the first that fails. */
export async function proveAgain(engine: Engine, { goldensBase }: CheckedDiarizerOptions): Promise<ModelProof[]> {
  const proofs: ModelProof[] = [];
  for (const prove of PROOFS) {
    if (!allPassed(proofs)) break;
    proofs.push(await prove(engine, goldensBase, engine.batchWindows.current));
  }
  return proofs;
}

/** Merges the proofs of each model on one backend into one with all their stages. */
export function byModel(proofs: readonly ModelProof[]): ModelProof[] {
  const models = new Map<string, ModelProof>();
  for (const proof of proofs) {
    const key = `${proof.backend} ${proof.model}`;
    const before = models.get(key);
    models.set(key, before ? { ...before, passed: before.passed && proof.passed, stages: [...before.stages, ...proof.stages] } : proof);
  }
  return [...models.values()];
}

/** Slow adapters are not made slower by a trial of what cannot help them. */
const SLOW_GOLDEN_SECONDS = 0.25;

/** The best batch size, and how many times faster a window is in such a batch than alone. */
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
      // Too large after all: the size before it was the best.
      if (isMemoryError(error) && size > 1) return Infinity;
      throw error;
    });
    perWindow.set(size, seconds / size);
    return seconds;
  });
  return { numWindows, gain: (perWindow.get(1) ?? 1) / (perWindow.get(numWindows) ?? 1) };
}

/** Seconds of the golden segmentation on WASM, with as many workers as a run has. Ends the workers. */
async function timeWasm({ options, settings, plan, signal }: Start): Promise<number> {
  const isIsolated = globalThis.crossOriginIsolated;
  const { workers, threads } = planLanes(plan.threads, options.speed, isIsolated, settings.mostEmbedders).segmentation;
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
      trustUnknownModel: false,
      ownKernels: true,
    },
    workers,
    new Slots(Math.max(1, plan.threads)),
  );
  const stop = (reason: VoxlaneError): void => {
    pool.terminate(reason);
  };
  try {
    return await untilAborted(signal, stop, async () => {
      await pool.load();
      await pool.grow();
      // All at once, as in a run, in which they share caches, memory and the processor's power.
      const proofs = await Promise.all(Array.from({ length: workers }, () => pool.call((api) => api.prove(options.goldensBase))));
      return Math.max(...proofs.map(({ seconds }) => seconds)) / workers;
    });
  } finally {
    stop(new VoxlaneError({ code: 'worker-failed', problem: 'The worker was ended: the trial is over' }));
  }
}

function isMemoryError(error: unknown): boolean {
  return error instanceof VoxlaneError && error.code === 'gpu-memory';
}
