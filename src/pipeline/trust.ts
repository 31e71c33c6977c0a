import * as v from 'valibot';
import { runtimeVersion } from '../ort/runtime';
import { loadManifest } from '../store/load';
import { recall, remember } from '../store/remember';
import { spawnSegmentationWorker } from '../../workers/spawn';
import type { SegmentationWorkerApi } from '../../workers/contracts';
import type { SegmentationManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { planBackend, wasmReason, wasmThreads, type BackendPlan } from './backend';
import { findBatchSize, windowsThatFit } from './batchSize';
import { startEngine, untilAborted, type Engine } from './engine';
import { ModelWorker } from './modelWorker';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { BackendReport, ModelProof } from './types';

const proofSchema = v.object({
  model: v.string(),
  passed: v.boolean(),
  seconds: v.number(),
  stages: v.array(
    v.object({
      stage: v.string(),
      maxAbs: v.number(),
      cosine: v.number(),
      passed: v.boolean(),
      argmaxAgreement: v.optional(v.number()),
      tolerance: v.object({ maxAbs: v.number(), cosine: v.number(), argmaxAgreement: v.optional(v.number()) }),
    }),
  ),
});

/** What was found out about one adapter with one version of everything else. */
const verdictSchema = v.object({
  proofs: v.array(proofSchema),
  /** Seconds of the golden segmentation on WASM; null where nobody asked for the faster backend. */
  wasmSeconds: v.nullable(v.number()),
  batchWindows: v.number(),
});
type Verdict = v.InferOutput<typeof verdictSchema>;

/**
 * Starts the pipeline on the fastest backend that can be trusted.
 *
 * A GPU is trusted after it has reproduced the golden outputs of both models, here, with this driver, browser and
 * runtime; the verdict is remembered for exactly these. Where it fails, WASM runs, and the report says which
 * stage was wrong by how much.
 */
export async function startTrustedEngine(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  signal?: AbortSignal,
): Promise<Engine> {
  const plan = await planBackend(options.backend, options.threads);
  if (plan.name === 'wasm') return startOnWasm(options, settings, plan.reason, null, signal);
  const key = await verdictKey(options, settings, plan);
  const known = options.trustGpu ? null : await recall(key, isVerdict);
  const objection = known && objectionTo(known, options, plan);
  if (objection) return startOnWasm(options, settings, objection, known.proofs, signal);
  let engine: Engine;
  try {
    engine = await startEngine(options, settings, gpuReport(plan, plan.reason, null), signal, key);
  } catch (error) {
    if (!isGpuTrouble(error)) throw error;
    return startOnWasm(options, settings, `WebGPU could not be started (${error.problem})`, null, signal);
  }
  try {
    return await untilAborted(signal, engine.terminate, () =>
      judgeEngine(engine, known, { options, settings, plan, signal }),
    );
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
  const proofs = await proveModels(engine, options);
  if (!allPassed(proofs)) {
    const verdict: Verdict = { proofs: proofs.map(copyProof), wasmSeconds: null, batchWindows: 0 };
    await remember(engine.verdictKey, verdict);
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
  const report: BackendReport = { name: 'wasm', adapter: null, threads, reason: wasmReason(why), selfCheck };
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

/** What a start was asked for, and what it found. */
interface Start {
  readonly options: CheckedDiarizerOptions;
  readonly settings: PipelineSettings;
  readonly plan: BackendPlan;
  readonly signal: AbortSignal | undefined;
}

async function judgeEngine(engine: Engine, known: Verdict | null, start: Start): Promise<Engine> {
  const { options, settings, plan, signal } = start;
  if (options.trustGpu) {
    const reason = [plan.reason, 'without a self-check'].filter(Boolean).join(', ');
    engine.batchWindows.current = options.batchWindows ?? 1;
    return { ...engine, backend: gpuReport(plan, reason, null) };
  }
  const verdict = await completeVerdict(engine, known, start);
  await remember(engine.verdictKey, verdict);
  const objection = objectionTo(verdict, options, plan);
  if (objection) {
    engine.terminate(disturbed(objection));
    return startOnWasm(options, settings, objection, verdict.proofs, signal);
  }
  engine.batchWindows.current = options.batchWindows ?? verdict.batchWindows;
  const faster = options.backend === 'auto' && 'and was faster than WASM';
  const facts = [plan.reason, 'the GPU reproduced the golden outputs', faster];
  return { ...engine, backend: gpuReport(plan, facts.filter(Boolean).join(', '), verdict.proofs) };
}

/** Why a GPU should not be used, for people; null where nothing speaks against it, or not yet. */
function objectionTo({ proofs, wasmSeconds }: Verdict, { backend }: CheckedDiarizerOptions, plan: BackendPlan): string | null {
  if (!allPassed(proofs)) return describeFailure(proofs);
  if (backend !== 'auto' || !isFaster(wasmSeconds, proofs)) return null;
  const [wasm, gpu] = [wasmSeconds ?? 0, secondsOf(proofs)].map((seconds) => seconds.toFixed(2));
  return `WASM was faster in a trial: ${wasm} s against ${gpu} s on WebGPU (${plan.adapter?.name ?? ''})`;
}

/**
 * What is known of this adapter, completed by what has not been tried yet: first the golden segmentation, then the
 * same on WASM where the faster one is wanted, and the rest only of a GPU that can still be chosen.
 */
async function completeVerdict(engine: Engine, known: Verdict | null, start: Start): Promise<Verdict> {
  const { options, plan } = start;
  const { goldensBase } = options;
  const wantsFaster = options.backend === 'auto';
  const proofs: ModelProof[] = [...(known?.proofs ?? [])];
  let wasmSeconds = known?.wasmSeconds ?? null;
  let batchWindows = known?.batchWindows ?? 0;
  if (proofs.length === 0) proofs.push(await engine.segmentation.call((api) => api.prove(goldensBase)));
  if (wantsFaster && allPassed(proofs)) wasmSeconds ??= await timeWasm(start);
  if (allPassed(proofs) && !(wantsFaster && isFaster(wasmSeconds, proofs))) {
    if (proofs.length === 1) proofs.push(await engine.embedding.call((api) => api.prove(goldensBase)));
    if (allPassed(proofs)) batchWindows ||= await tuneBatch(engine, plan, secondsOf(proofs));
  }
  return { proofs: proofs.map(copyProof), wasmSeconds, batchWindows };
}

const allPassed = (proofs: readonly ModelProof[]): boolean => proofs.every(({ passed }) => passed);

/** Seconds of the golden segmentation on the GPU. */
const secondsOf = (proofs: readonly ModelProof[]): number => proofs[0]?.seconds ?? Infinity;

function isFaster(wasmSeconds: number | null, proofs: readonly ModelProof[]): boolean {
  return wasmSeconds !== null && wasmSeconds < secondsOf(proofs);
}

const copyProof = (proof: ModelProof): Verdict['proofs'][number] => ({
  ...proof,
  stages: proof.stages.map((stage) => ({ ...stage })),
});

function isVerdict(stored: unknown): stored is Verdict {
  return v.is(verdictSchema, stored);
}

/** To be raised when a kernel, a golden output or a tolerance changes: what was found out before is void then. */
const PROOF_VERSION = 1;

/**
 * Everything that can change the verdict: our proof, the adapter with what the browser tells of its driver, the
 * browser, the runtime, WASM's threads, the models.
 */
async function verdictKey(
  { modelsBase, runtimeBase }: CheckedDiarizerOptions,
  { segmentation, embedding }: PipelineSettings,
  { adapter, threads }: BackendPlan,
): Promise<string> {
  const manifests = [
    await loadManifest('segmentation', segmentation, modelsBase),
    await loadManifest('embedding', embedding, modelsBase),
  ];
  const hashes = manifests.map(({ file }) => file.sha256);
  const circumstances = [adapter?.identity, navigator.userAgent, await runtimeVersion(runtimeBase), `${threads} threads`];
  return ['verdict', PROOF_VERSION, ...circumstances, ...hashes].join(' ');
}

async function proveModels(engine: Engine, { goldensBase }: CheckedDiarizerOptions): Promise<ModelProof[]> {
  const segmentation = await engine.segmentation.call((api) => api.prove(goldensBase));
  const embedding = await engine.embedding.call((api) => api.prove(goldensBase));
  return [segmentation, embedding];
}

/** Seconds of the golden segmentation on WASM, in a worker that is ended after it. */
async function timeWasm({ options, settings, plan, signal }: Start): Promise<number> {
  const worker = new ModelWorker<SegmentationManifest, SegmentationWorkerApi>(spawnSegmentationWorker, {
    modelId: settings.segmentation,
    modelsBase: options.modelsBase,
    runtimeBase: options.runtimeBase,
    backend: 'wasm',
    threads: globalThis.crossOriginIsolated ? plan.threads : 1,
    hub: null,
    modelFile: undefined,
    trustUnknownModel: false,
  });
  const stop = (reason: VoxlaneError): void => {
    worker.terminate(reason);
  };
  try {
    return await untilAborted(signal, stop, async () => {
      await worker.load();
      return (await worker.call((api) => api.prove(options.goldensBase))).seconds;
    });
  } finally {
    stop(disturbed('the trial is over'));
  }
}

/** Slow adapters are not made slower by a trial of what cannot help them. */
const SLOW_GOLDEN_SECONDS = 0.25;

async function tuneBatch(engine: Engine, { adapter }: BackendPlan, goldenSeconds: number): Promise<number> {
  if (!adapter || goldenSeconds > SLOW_GOLDEN_SECONDS) return 1;
  const most = windowsThatFit(adapter.limits, engine.segmentationManifest.largestTensorBytes);
  return findBatchSize(most, (numWindows) =>
    engine.segmentation
      .call((api) => api.timeBatch(numWindows))
      // Too large after all: the size before it was the best.
      .catch((error: unknown) => {
        if (error instanceof VoxlaneError && error.code === 'gpu-memory' && numWindows > 1) return Infinity;
        throw error;
      }),
  );
}

function gpuReport({ adapter }: BackendPlan, reason: string, selfCheck: readonly ModelProof[] | null): BackendReport {
  return { name: 'webgpu', adapter: adapter?.name ?? null, threads: 0, reason, selfCheck };
}

function disturbed(why: unknown): VoxlaneError {
  return new VoxlaneError({ code: 'worker-failed', problem: `The worker was ended: ${String(why)}` });
}
