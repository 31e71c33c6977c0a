import type { EmbeddingWorkerApi, LoadReply, LoadRequest } from '../../workers/contracts';
import { spawnClusteringWorker, spawnEmbeddingWorker } from '../../workers/spawn';
import type { SpeakerBounds } from '../clustering/localSpeakers';
import { fetchJson } from '../store/load';
import type { EmbeddingManifest } from '../store/manifest';
import { parsePldaManifest } from '../store/plda';
import { VoxlaneError } from '../util/errors';
import { addressIn } from '../util/fileBase';
import { wasmArithmetic } from './engine';
import { ModelPool } from './modelPool';
import type { CheckedDiarizerOptions } from './options';
import type { StreamSettings } from './settings';
import type { ModelCheck } from './types';
import { checkKey, checkOnce, kernelCircumstances } from './verdicts';

/** The workers that embed and cluster the speech of a streamed preset. */
export interface StreamVoices {
  readonly embedding: ModelPool<EmbeddingManifest, EmbeddingWorkerApi>;
  readonly clustering: ReturnType<typeof spawnClusteringWorker>;
  readonly manifest: EmbeddingManifest;
  /** SHA-256 of the embedding model. */
  readonly embeddingModel: string;
  /** SHA-256 of the PLDA. */
  readonly pldaModel: string;
  readonly terminate: (reason: VoxlaneError) => void;
}

/**
 * Whether a run needs embeddings. Bounds that the identities of the model always meet are not a request.
 *
 * @param mostSpeakers number of identities of the model
 */
export const needsVoices = ({ minSpeakers, maxSpeakers, keepVoices }: SpeakerBounds & { readonly keepVoices: boolean }, mostSpeakers: number): boolean =>
  keepVoices || minSpeakers > 1 || maxSpeakers < mostSpeakers;

/**
 * Loads the embedding model and the PLDA of a streamed preset, on WASM with one worker: the model of the preset takes several
 * times as long. The kernels must reproduce the golden outputs, if there are any; otherwise ONNX Runtime computes the model.
 *
 * @throws VoxlaneError `model-*`, `backend-failed` if both compute wrong values, `worker-failed`
 */
export async function startStreamVoices(options: CheckedDiarizerOptions, { voices }: StreamSettings): Promise<StreamVoices> {
  const clustering = spawnClusteringWorker();
  let embedding: StreamVoices['embedding'] | null = null;
  try {
    const plda = clustering.call((api) => api.load(voices.clustering.plda, options.modelsBase));
    plda.catch(() => undefined);
    for (const ownKernels of [true, false]) {
      const pool = poolOf(options, voices.embedding, ownKernels);
      embedding = pool;
      const reply = await pool.load();
      if (!(await isRight(pool, reply, options, ownKernels))) {
        pool.terminate(wrongValues(voices.embedding));
        continue;
      }
      await plda;
      const address = addressIn(options.modelsBase, `${voices.clustering.plda}/manifest.json`);
      const pldaModel = parsePldaManifest(await fetchJson(address), address).file.sha256;
      const terminate = (reason: VoxlaneError): void => {
        pool.terminate(reason);
        clustering.terminate(reason);
      };
      return { embedding: pool, clustering, manifest: reply.manifest, embeddingModel: reply.sha256, pldaModel, terminate };
    }
    throw wrongValues(voices.embedding);
  } catch (error) {
    const reason = error instanceof VoxlaneError ? error : wrongValues(voices.embedding);
    embedding?.terminate(reason);
    clustering.terminate(reason);
    throw error;
  }
}

/**
 * Loads {@link StreamVoices} for the first run that needs them, and again if they have ended.
 */
export class VoicesOnDemand {
  private started: Promise<StreamVoices> | null = null;
  private ended: VoxlaneError | null = null;

  constructor(
    private readonly options: CheckedDiarizerOptions,
    private readonly settings: StreamSettings,
  ) {}

  /** @throws VoxlaneError the reason of {@link terminate}, and the errors of {@link startStreamVoices} */
  async get(): Promise<StreamVoices> {
    if (this.ended) throw this.ended;
    const before = await this.started?.catch(() => null);
    const isUsable = before?.clustering.end === null;
    const started = isUsable ? Promise.resolve(before) : startStreamVoices(this.options, this.settings);
    this.started = started;
    const voices = await started;
    voices.embedding.newRun();
    return voices;
  }

  /** Ends the workers, also those that are still starting. */
  terminate(reason: VoxlaneError): void {
    this.ended ??= reason;
    this.started?.then((voices) => { voices.terminate(reason); }, () => undefined);
  }
}

function poolOf(options: CheckedDiarizerOptions, modelId: string, ownKernels: boolean): StreamVoices['embedding'] {
  const { modelsBase, runtimeBase, hub, speed } = options;
  // The file and the trust of the options are for the weights of the preset's own model.
  const request: LoadRequest = { modelId, modelsBase, runtimeBase, backend: 'wasm', threads: 1, hub, modelFile: undefined, modelName: undefined, trustUnknownModel: false, ownKernels, arithmetic: wasmArithmetic(speed) };
  return new ModelPool<EmbeddingManifest, EmbeddingWorkerApi>(spawnEmbeddingWorker, request, 1);
}

/** Like the check of other presets on WASM: the verdict of the kernels is stored, and missing golden outputs check nothing. */
async function isRight(
  pool: StreamVoices['embedding'],
  { sha256, hasGoldens }: LoadReply<EmbeddingManifest>,
  options: CheckedDiarizerOptions,
  ownKernels: boolean,
): Promise<boolean> {
  if (!hasGoldens) return true;
  const run = (): Promise<ModelCheck> => pool.call((api) => api.selfCheck(options.goldensBase));
  try {
    const check = ownKernels ? await checkOnce(checkKey(kernelCircumstances(options), sha256), run) : await run();
    return check.passed;
  } catch (error) {
    if (error instanceof VoxlaneError && (error.code === 'model-missing' || error.code === 'format')) return true;
    throw error;
  }
}

const wrongValues = (modelId: string): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-failed',
    problem: `WASM computes wrong values of ${modelId}, with our kernels and with ONNX Runtime`,
    expected: 'the golden outputs',
    remedy: 'Omit the number of speakers and keepVoices, or use another browser',
  });
