/**
 * The self-check on WASM. A browser can compile the SIMD of our kernels wrongly, so each model must reproduce its golden outputs
 * before it is used. Verdicts are stored for 30 days, by browser, release, SIMD and model
 * file, so that later starts check nothing.
 */
import { VoxlaneError } from '../util/errors';
import { untilAborted, type Engine } from './engine';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { ModelProof } from './types';
import { expectedModels, kernelCircumstances, recallWasmProof, rememberWasmProof, runtimeCircumstances, wasmProofKey } from './verdicts';

/** Result of the check of an engine. */
export interface WasmCheck {
  /** One per model whose golden outputs could be read. */
  readonly proofs: readonly ModelProof[];
  /** Why a model could not be checked; null if all were checked. */
  readonly obstacle: string | null;
}

/**
 * Our kernels' remembered failure with a model of these settings.
 *
 * @returns the failed proofs; empty if none is known
 */
export async function knownFailures(options: CheckedDiarizerOptions, settings: PipelineSettings): Promise<readonly ModelProof[]> {
  const expected = await expectedModels(options, settings);
  if (!expected) return [];
  const circumstances = kernelCircumstances();
  const hashes = [expected.segmentationModel, expected.embeddingModel];
  const proofs = await Promise.all(hashes.map((sha256) => recallWasmProof(wasmProofKey(circumstances, sha256))));
  return proofs.filter((proof) => proof !== null && !proof.passed && proof.backend === 'kernels') as ModelProof[];
}

/**
 * Checks each model that has golden outputs, unless its verdict is known. Golden outputs that cannot be fetched or read are an
 * obstacle, not an error.
 *
 * @param ownKernels as the engine was started
 * @throws VoxlaneError `cancelled`, and what else a worker throws
 */
export async function checkWasm(
  engine: Engine,
  options: CheckedDiarizerOptions,
  ownKernels: boolean,
  signal: AbortSignal | undefined,
): Promise<WasmCheck> {
  return untilAborted(signal, engine.terminate, async () => {
    const circumstances = ownKernels ? kernelCircumstances() : await runtimeCircumstances(options, engine.backend.threads);
    const results = await Promise.all(engine.provable.map((stage) => checkModel(engine, stage, circumstances, options)));
    return {
      proofs: results.filter((result) => typeof result !== 'string'),
      obstacle: results.find((result) => typeof result === 'string') ?? null,
    };
  });
}

/** Checks one model. Returns its proof, or a text that says why it could not be checked. */
async function checkModel(
  engine: Engine,
  stage: Engine['provable'][number],
  circumstances: string,
  { goldensBase }: CheckedDiarizerOptions,
): Promise<ModelProof | string> {
  const key = wasmProofKey(circumstances, stage === 'segmentation' ? engine.segmentationModel : engine.embeddingModel);
  const known = await recallWasmProof(key);
  if (known) return known;
  try {
    const proof = stage === 'segmentation'
      ? await engine.segmentation.call((api) => api.prove(goldensBase))
      : await engine.embedding.call((api) => api.prove(goldensBase));
    await rememberWasmProof(key, proof);
    return proof;
  } catch (error) {
    const noGoldens = error instanceof VoxlaneError && (error.code === 'model-missing' || error.code === 'format');
    if (!noGoldens) throw error;
    return error.problem;
  }
}
