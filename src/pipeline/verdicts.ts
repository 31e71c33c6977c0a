import * as v from 'valibot';
import { runtimeVersion } from '../ort/runtime';
import { loadManifest } from '../store/load';
import { ModelStore } from '../store/modelStore';
import { forget, recall, remember } from '../store/remember';
import type { BackendPlan } from './backend';
import type { Engine } from './engine';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { ModelProof } from './types';

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

const verdictSchema = v.object({
  /** Milliseconds since the epoch, when the first of the proofs was made. */
  checkedAt: v.number(),
  /** Those that were made so far, in their order. */
  proofs: v.array(proofSchema),
  /** Seconds of the golden segmentation on the GPU, in a batch of the best size; null if it was not tried. */
  gpuSeconds: v.nullable(v.number()),
  /** Seconds of the same on WASM with all of its workers; null if the faster backend was not asked for. */
  wasmSeconds: v.nullable(v.number()),
  /** Windows of a batch; 0 if it was not tried. */
  batchWindows: v.number(),
});

/** Results of the checks of one adapter, for one version of everything else. */
export type Verdict = v.InferOutput<typeof verdictSchema>;

/** SHA-256 of the model files. */
export type ModelHashes = Pick<Engine, 'segmentationModel' | 'embeddingModel'>;

/** Verdicts expire, because a page cannot detect a driver update or a GPU that starts to fail. */
export const VERDICT_DAYS = 30;
const VERDICT_MS = VERDICT_DAYS * 24 * 60 * 60 * 1000;

/** Raise it when a kernel, a golden output or a tolerance changes. This makes older verdicts invalid. */
const PROOF_VERSION = 2;
const PREFIX = 'verdict ';

/** No checks were made. */
export const NO_VERDICT: Verdict = { checkedAt: 0, proofs: [], gpuSeconds: null, wasmSeconds: null, batchWindows: 0 };

/** The stored verdict; null if there is none, or it has expired. */
export async function recallVerdict(key: string): Promise<Verdict | null> {
  const verdict = await recall(key, (stored): stored is Verdict => v.is(verdictSchema, stored));
  const age = Date.now() - (verdict?.checkedAt ?? 0);
  // A time in the future comes from a wrong clock.
  return verdict && age >= 0 && age < VERDICT_MS ? verdict : null;
}

export async function rememberVerdict(key: string, verdict: Verdict): Promise<void> {
  await remember(key, verdict);
}

/**
 * Deletes the results of GPU checks, so that the next diarizer checks its GPU again. Existing diarizers keep their backend.
 * Results also expire after 30 days.
 */
export async function forgetGpuChecks(): Promise<void> {
  await forget(PREFIX);
}

/** A copy of a proof as plain data. */
export const copyProof = (proof: ModelProof): Verdict['proofs'][number] => ({
  ...proof,
  stages: proof.stages.map((stage) => ({ ...stage })),
});

/**
 * Everything except the models that can change the verdict: version of the checks, adapter and driver as far as the browser
 * gives them, browser, runtime, threads on WASM, and batch size.
 */
export async function verdictCircumstances(
  { runtimeBase, batchWindows, speed }: CheckedDiarizerOptions,
  { adapter, threads }: BackendPlan,
): Promise<string> {
  const batch = batchWindows === undefined ? 'tuned batch' : `batch of ${batchWindows}`;
  const runtime = await runtimeVersion(runtimeBase);
  return [PROOF_VERSION, adapter?.identity, navigator.userAgent, runtime, `${threads} threads`, speed, batch].join(' ');
}

export function verdictKey(circumstances: string, { segmentationModel, embeddingModel }: ModelHashes): string {
  return `${PREFIX}${circumstances} ${segmentationModel} ${embeddingModel}`;
}

/**
 * The files that would probably be loaded; null if that is not known. With them, a GPU that is known to fail need not be
 * started. The verdict itself is of the files that are loaded.
 */
export async function expectedModels(
  { modelsBase, modelFile, trustUnknownModel }: CheckedDiarizerOptions,
  { segmentation, embedding }: PipelineSettings,
): Promise<ModelHashes | null> {
  if (modelFile) return null;
  const { file } = await loadManifest('segmentation', segmentation, modelsBase);
  const manifest = await loadManifest('embedding', embedding, modelsBase);
  const embeddingModel = manifest.sources
    ? (await new ModelStore().find(embedding, manifest.sources, trustUnknownModel))?.sha256
    : manifest.file.sha256;
  return embeddingModel === undefined ? null : { segmentationModel: file.sha256, embeddingModel };
}
