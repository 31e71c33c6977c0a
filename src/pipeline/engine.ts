import { VoxlaneError } from '../util/errors';
import type { LoadRequest } from '../../workers/contracts';
import {
  spawnClusteringWorker,
  spawnDecodeWorker,
  spawnEmbeddingWorker,
  spawnSegmentationWorker,
} from '../../workers/spawn';
import type { EmbeddingManifest, SegmentationManifest } from '../store/manifest';
import { chooseBackend } from './backend';
import type { CheckedDiarizerOptions } from './options';
import type { PipelineSettings } from './settings';
import type { BackendReport } from './types';

/** The workers of one pipeline with their models loaded. */
export interface Engine {
  readonly decode: ReturnType<typeof spawnDecodeWorker>;
  readonly segmentation: ReturnType<typeof spawnSegmentationWorker>;
  readonly embedding: ReturnType<typeof spawnEmbeddingWorker>;
  readonly clustering: ReturnType<typeof spawnClusteringWorker>;
  readonly segmentationManifest: SegmentationManifest;
  readonly embeddingManifest: EmbeddingManifest;
  readonly backend: BackendReport;
  /** Ends every worker at once; whatever is pending rejects with `reason`. */
  terminate(reason: VoxlaneError): void;
}

/**
 * Starts the workers and loads the models, one after another: the runtime does not make sessions concurrently,
 * and two sets of threads compiling at once are slower than one after the other.
 *
 * @throws VoxlaneError `model-*`, `backend-*`, `worker-failed`; `cancelled` when `signal` fires
 */
export async function startEngine(
  options: CheckedDiarizerOptions,
  settings: PipelineSettings,
  signal?: AbortSignal,
): Promise<Engine> {
  const backend = await chooseBackend(options.backend, options.threads);
  const workers = {
    decode: spawnDecodeWorker(),
    segmentation: spawnSegmentationWorker(),
    embedding: spawnEmbeddingWorker(),
    clustering: spawnClusteringWorker(),
  };
  const terminate = (reason: VoxlaneError): void => {
    for (const worker of Object.values(workers)) worker.terminate(reason);
  };
  const cancel = (): void => {
    terminate(cancelled());
  };
  signal?.addEventListener('abort', cancel);
  try {
    if (signal?.aborted) throw cancelled();
    const request = (modelId: string): LoadRequest => ({
      modelId,
      modelsBase: options.modelsBase,
      runtimeBase: options.runtimeBase,
      backend: backend.name,
      threads: backend.threads,
    });
    const segmentation = await workers.segmentation.call((api) => api.load(request(settings.segmentation)));
    const embedding = await workers.embedding.call((api) => api.load(request(settings.embedding)));
    checkPair(segmentation.manifest, embedding.manifest);
    return {
      ...workers,
      segmentationManifest: segmentation.manifest,
      embeddingManifest: embedding.manifest,
      backend: { ...backend, adapter: segmentation.adapter ?? backend.adapter },
      terminate,
    };
  } catch (error) {
    terminate(error instanceof VoxlaneError ? error : cancelled());
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

export function cancelled(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'The run was cancelled by the caller' });
}

function checkPair(segmentation: SegmentationManifest, embedding: EmbeddingManifest): void {
  if (segmentation.sampleRate === embedding.sampleRate) return;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `${segmentation.id} takes ${segmentation.sampleRate} Hz and ${embedding.id} ${embedding.sampleRate} Hz`,
    expected: 'two models of one sample rate',
    remedy: 'Check the folder that the `models` option names',
  });
}
