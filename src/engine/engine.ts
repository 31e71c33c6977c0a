import { fetchJson } from '../store/load';
import { cancelled, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { Semaphore } from '../util/concurrency';
import type { EmbeddingWorkerApi, LoadRequest, SegmentationWorkerApi } from '../../workers/contracts';
import {
  spawnClusteringWorker,
  spawnDecodeWorker,
  spawnEmbeddingWorker,
  spawnSegmentationWorker,
} from '../../workers/spawn';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import { parsePldaManifest } from '../store/plda';
import { addressIn, type FileBase } from '../util/fileBase';
import { GPU_WORKERS, planWorkers } from './backend';
import { ModelPool } from './modelPool';
import type { CheckedDiarizerOptions } from './options';
import type { ClusteringName, PipelineSettings, Speed } from './settings';
import type { BackendReport } from './types';

/** The workers of one pipeline, with loaded models. */
export interface Engine {
  readonly decode: ReturnType<typeof spawnDecodeWorker>;
  readonly segmentation: ModelPool<SegmentationManifest, SegmentationWorkerApi>;
  readonly embedding: ModelPool<EmbeddingManifest, EmbeddingWorkerApi>;
  readonly clustering: ReturnType<typeof spawnClusteringWorker>;
  readonly segmentationManifest: SegmentationManifest;
  readonly embeddingManifest: EmbeddingManifest;
  readonly settings: PipelineSettings;
  readonly speed: Speed;
  readonly clusteringName: ClusteringName;
  /** SHA-256 of the segmentation model file. */
  readonly segmentationModel: string;
  /** SHA-256 of the embedding model file. */
  readonly embeddingModel: string;
  /** Models with golden outputs for the loaded file. */
  readonly withGoldens: readonly ('segmentation' | 'embedding')[];
  /** SHA-256 of the PLDA file, which the clustering worker verifies; null without VBx. */
  readonly pldaModel: string | null;
  /** Note about the embedding model file; null if there is none. */
  readonly modelNote: string | null;
  /** Key of the stored verdict of this GPU; empty on WASM. */
  readonly verdictKey: string;
  readonly backend: BackendReport;
  /** Windows per batch; reduced during a run if memory is insufficient. */
  readonly batchWindows: { current: number };
  /** Ends all workers at once; pending calls reject with `reason`. */
  readonly terminate: (reason: VoxlaneError) => void;
}

/** Whether a worker that holds a recording has ended. `ModelWorker` replaces the workers of models. */
export function hasEnded({ decode, clustering }: Pick<Engine, 'decode' | 'clustering'>): boolean {
  return decode.end !== null || clustering.end !== null;
}

/**
 * Starts the workers and loads the models. On WebGPU one after another: two sets of compiling threads at once are slower
 * than in sequence.
 *
 * @param ownKernels false to run all models with ONNX Runtime
 * @throws VoxlaneError `model-*`, `backend-*`, `gpu-*`, `worker-failed`; `cancelled` if `signal` fires
 */
export async function startEngine(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  backend: BackendReport,
  signal?: AbortSignal,
  ownKernels = true,
): Promise<Engine> {
  const { onDownload } = options;
  const workers = spawnWorkers(options, settings, backend, ownKernels);
  const terminate = (reason: VoxlaneError): void => {
    for (const worker of Object.values(workers)) worker.terminate(reason);
  };
  try {
    return await unlessAborted(signal, async () => {
      const firstModel = workers.segmentation.load();
      if (backend.name === 'webgpu') await firstModel;
      const [segmentation, embedding, pldaModel] = await Promise.all([
        firstModel,
        workers.embedding.load(onDownload && ((progress) => { onDownload({ model: settings.embedding, ...progress }); })),
        loadPlda(workers.clustering, settings.clustering, options.modelsBase),
      ]);
      checkPair(segmentation.manifest, embedding.manifest);
      // Not awaited: the first recording starts on the available workers.
      void workers.segmentation.grow();
      // If a download could not be stored, each worker would repeat it.
      const isAtHand = options.modelFile !== undefined || !embedding.manifest.sources || embedding.note === null;
      if (isAtHand) void workers.embedding.grow();
      return {
        ...workers,
        segmentationManifest: segmentation.manifest,
        embeddingManifest: embedding.manifest,
        settings,
        speed: options.speed,
        clusteringName: options.clustering,
        segmentationModel: segmentation.sha256,
        embeddingModel: embedding.sha256,
        withGoldens: [...(segmentation.hasGoldens ? ['segmentation' as const] : []), ...(embedding.hasGoldens ? ['embedding' as const] : [])],
        pldaModel,
        modelNote: embedding.note,
        verdictKey: '',
        backend: { ...backend, adapter: segmentation.adapter ?? backend.adapter },
        batchWindows: { current: options.batchWindows ?? settings.wasmBatchWindows },
        terminate,
      };
    }, { stop: terminate });
  } catch (error) {
    terminate(error instanceof VoxlaneError ? error : cancelled());
    throw error;
  }
}

/** Spawns the workers of a pipeline, without models. Parameters as for {@link startEngine}. */
function spawnWorkers(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  backend: BackendReport,
  ownKernels: boolean,
): Pick<Engine, 'decode' | 'segmentation' | 'embedding' | 'clustering'> {
  const isolated = globalThis.crossOriginIsolated;
  const plan = backend.name === 'webgpu' ? GPU_WORKERS : planWorkers(backend.threads, options.speed, isolated, settings.maxEmbedders);
  // At most as many busy workers as cores, so that the page's thread stays responsive.
  const slots = new Semaphore(backend.name === 'webgpu' ? Infinity : Math.max(1, backend.threads));
  const request = (modelId: string, threads: number): LoadRequest => ({
    modelId,
    modelsBase: options.modelsBase,
    runtimeBase: options.runtimeBase,
    backend: backend.name,
    threads,
    hub: options.hub,
    // Users can provide only embedding models.
    modelFile: modelId === settings.embedding ? options.modelFile : undefined,
    modelName: options.modelFile instanceof File ? options.modelFile.name : undefined,
    trustUnknownModel: options.trustUnknownModel,
    ownKernels,
    // A GPU is checked against float32.
    arithmetic: backend.name === 'wasm' ? wasmArithmetic(options.speed) : 'float32',
  });
  return {
    decode: spawnDecodeWorker(),
    segmentation: new ModelPool<SegmentationManifest, SegmentationWorkerApi>(
      spawnSegmentationWorker,
      request(settings.segmentation, plan.segmentation.threads),
      plan.segmentation.workers,
      slots,
    ),
    embedding: new ModelPool<EmbeddingManifest, EmbeddingWorkerApi>(
      spawnEmbeddingWorker,
      request(settings.embedding, plan.embedding.threads),
      plan.embedding.workers,
      slots,
    ),
    clustering: spawnClusteringWorker(),
  };
}

/** How our kernels multiply on WASM. */
export const wasmArithmetic = (speed: CheckedDiarizerOptions['speed']): LoadRequest['arithmetic'] => (speed === 'fast' ? 'int16' : 'float32');

/** @returns SHA-256 of the PLDA according to its manifest, which the worker verified; null if the clustering needs none */
async function loadPlda(worker: Engine['clustering'], clustering: PipelineSettings['clustering'], modelsBase: FileBase): Promise<string | null> {
  if (clustering.method === 'agglomerative') return null;
  const { plda } = clustering;
  await worker.call((api) => api.load(plda, modelsBase));
  const address = addressIn(modelsBase, `${plda}/manifest.json`);
  return parsePldaManifest(await fetchJson(address), address).file.sha256;
}

function checkPair(segmentation: SegmentationManifest, embedding: EmbeddingManifest): void {
  if (segmentation.sampleRate === embedding.sampleRate) return;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `${segmentation.id} requires ${segmentation.sampleRate} Hz and ${embedding.id} requires ${embedding.sampleRate} Hz`,
    expected: 'two models with the same sample rate',
    remedy: 'Check the folder set by the option models',
  });
}
