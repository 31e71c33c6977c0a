import * as v from 'valibot';
import { version } from '../../package.json';
import { hasRelaxedSimd } from '../nn/simd';
import { runtimeVersion } from '../ort/runtime';
import { loadManifest } from '../store/load';
import { loadDiarizationFacts } from '../store/loadDiarization';
import { ModelStore } from '../store/modelStore';
import { userAgent } from '../util/host';
import type { WeightsForm } from '../weights/convert';
import type { BackendPlan } from './backend';
import type { Engine } from './engine';
import type { CheckedDiarizerOptions } from './options';
import { forget, recall, remember } from './remember';
import type { PipelineSettings, StreamSettings } from './settings';
import type { ModelCheck } from './types';

const checkSchema = v.object({
  model: v.string(),
  backend: v.picklist(['webgpu', 'wasm', 'kernels']),
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
  /** Time of the first check in milliseconds since the epoch. */
  checkedAt: v.number(),
  /** The completed checks, in order. */
  checks: v.array(checkSchema),
  /** Seconds of the golden segmentation on the GPU at the best batch size; null if it was not measured. */
  gpuSeconds: v.nullable(v.number()),
  /** Seconds of the golden segmentation on WASM with all workers; null if the fastest backend was not requested. */
  wasmSeconds: v.nullable(v.number()),
  /** Windows per batch; 0 if it was not measured. */
  batchWindows: v.number(),
});

const wasmVerdictSchema = v.object({
  /** Milliseconds since the epoch. */
  checkedAt: v.number(),
  check: checkSchema,
});

/** Results of the checks of one adapter, for fixed versions of everything else. */
export type Verdict = v.InferOutput<typeof verdictSchema>;

/** SHA-256 of the model files. */
type ModelHashes = Pick<Engine, 'segmentationModel' | 'embeddingModel'>;

/** Verdicts expire, because a page cannot detect a driver update or a GPU that starts to fail. */
export const VERDICT_DAYS = 30;
const VERDICT_MS = VERDICT_DAYS * 24 * 60 * 60 * 1000;

/** Increment this if a kernel, a golden output or a tolerance changes; it invalidates older verdicts. */
const SELF_CHECK_VERSION = 8;
const PREFIX = 'verdict ';

/** No checks were made. */
export const NO_VERDICT: Verdict = { checkedAt: 0, checks: [], gpuSeconds: null, wasmSeconds: null, batchWindows: 0 };

/** Reads a stored verdict. @returns null if none is stored, or if it has expired */
export async function recallVerdict(key: string): Promise<Verdict | null> {
  const verdict = await recall(key, (stored): stored is Verdict => v.is(verdictSchema, stored));
  return verdict && isFresh(verdict) ? verdict : null;
}

function isFresh({ checkedAt }: { readonly checkedAt: number }): boolean {
  const age = Date.now() - checkedAt;
  // A time in the future comes from a wrong clock.
  return age >= 0 && age < VERDICT_MS;
}

export async function rememberVerdict(key: string, verdict: Verdict): Promise<void> {
  await remember(key, verdict);
}

/** Reads the stored self-check of a model. @returns null if none is stored, or if it has expired */
export async function recallCheck(key: string): Promise<ModelCheck | null> {
  const verdict = await recall(key, (stored): stored is v.InferOutput<typeof wasmVerdictSchema> => v.is(wasmVerdictSchema, stored));
  return verdict && isFresh(verdict) ? verdict.check : null;
}

export async function rememberCheck(key: string, check: ModelCheck): Promise<void> {
  await remember(key, { checkedAt: Date.now(), check: copyCheck(check) });
}

/** The stored check of `key`, or else the result of `check`, which is then stored. */
export async function checkOnce(key: string, check: () => Promise<ModelCheck>): Promise<ModelCheck> {
  const known = await recallCheck(key);
  if (known) return known;
  const made = await check();
  await rememberCheck(key, made);
  return made;
}

/**
 * Deletes the results of the self-checks. The next diarizer then checks its GPU, or the WASM kernels, again. Existing
 * diarizers keep their backend. Results also expire after 30 days.
 */
export async function forgetGpuChecks(): Promise<void> {
  await forget(PREFIX);
}

/**
 * A copy of a check as plain data. Measures that are not numbers, of a stage with NaN, get the worst value, because they
 * cannot be stored.
 */
export const copyCheck = (check: ModelCheck): Verdict['checks'][number] => ({
  ...check,
  stages: check.stages.map((stage) => ({
    ...stage,
    maxAbs: Number.isFinite(stage.maxAbs) ? stage.maxAbs : Number.MAX_VALUE,
    cosine: Number.isFinite(stage.cosine) ? stage.cosine : 0,
  })),
});

/**
 * Everything except the models that can change the verdict: version of the checks, adapter and driver as reported by
 * the browser, browser, runtime, release of our own kernels, WASM threads, speed, and batch size.
 *
 * The version of the runtime is fetched with its script, so only if the runtime computes a model of these settings.
 *
 * @param ownKernels whether our own kernels compute the supported models, and ONNX Runtime only the others
 * @throws VoxlaneError `model-missing` if the runtime is needed but missing
 */
export async function verdictCircumstances(
  { modelsBase, runtimeBase, batchWindows, speed }: CheckedDiarizerOptions,
  { embedding }: PipelineSettings,
  { adapter, threads }: BackendPlan,
  ownKernels: boolean,
): Promise<string> {
  const batch = batchWindows === undefined ? 'tuned batch' : `batch of ${batchWindows}`;
  const isRuntimeUsed = !ownKernels || (await loadManifest('embedding', embedding, modelsBase)).pooling === 'statistics';
  const runtime = isRuntimeUsed ? await runtimeVersion(runtimeBase) : 'no runtime';
  const kernels = ownKernels ? `kernels ${version}` : 'no kernels';
  return [SELF_CHECK_VERSION, adapter?.identity, userAgent(), runtime, kernels, `${threads} threads`, speed, batch].join(' ');
}

/**
 * Everything except the model that can change a check of the WASM kernels: release, browser, SIMD variant, and speed,
 * because `fast` multiplies int16. The kernels are single-threaded.
 */
export function kernelCircumstances({ speed }: Pick<CheckedDiarizerOptions, 'speed'>): string {
  return wasmCircumstances(`${hasRelaxedSimd() ? 'relaxed' : 'plain'} kernels ${speed}`);
}

/** The same for ONNX Runtime: its version and threads. */
export async function runtimeCircumstances({ runtimeBase }: CheckedDiarizerOptions, threads: number): Promise<string> {
  const isolation = globalThis.crossOriginIsolated ? 'isolated' : 'not isolated';
  return wasmCircumstances(`runtime ${await runtimeVersion(runtimeBase)} ${threads} threads ${isolation}`);
}

const wasmCircumstances = (arithmetic: string): string => ['WASM', SELF_CHECK_VERSION, version, userAgent(), arithmetic].join(' ');

/**
 * Key of the check of a streamed model. Its golden outputs are of its graph, so the weights of the user do not matter.
 *
 * @param adapter of the GPU; null on WASM
 */
export async function streamCheckKey(
  options: CheckedDiarizerOptions,
  { model }: StreamSettings,
  { threads, form, adapter }: { readonly threads: number; readonly form: WeightsForm; readonly adapter: BackendPlan['adapter'] },
): Promise<string> {
  const { manifest: { file } } = await loadDiarizationFacts(model, options.modelsBase);
  const circumstances = adapter ? gpuCircumstances(adapter) : await runtimeCircumstances(options, threads);
  return checkKey(`${circumstances} ${form}`, file.sha256);
}

/** Everything except the model that can change a check of our own kernels on a GPU. */
const gpuCircumstances = ({ identity }: NonNullable<BackendPlan['adapter']>): string => ['GPU', SELF_CHECK_VERSION, version, identity, userAgent()].join(' ');

/** @param sha256 SHA-256 of the model file */
export const checkKey = (circumstances: string, sha256: string): string => `${PREFIX}${circumstances} ${sha256}`;

export function verdictKey(circumstances: string, { segmentationModel, embeddingModel }: ModelHashes): string {
  return `${PREFIX}${circumstances} ${segmentationModel} ${embeddingModel}`;
}

/**
 * The model files that will probably be loaded; null if unknown. With them, a GPU that is known to fail need not be
 * started. The verdict itself is for the files that are actually loaded.
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
