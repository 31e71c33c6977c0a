import type { ClusteringWorkerApi, CompareWorkerApi, DecodeWorkerApi, EmbeddingWorkerApi, SegmentationWorkerApi, SortformerWorkerApi } from './contracts';
import { VoxlaneError } from '../src/util/errors';
import { missingFeature } from '../src/util/host';
import { WorkerHandle } from './handle';
import { openWorker, type WorkerName } from './openWorker';

/**
 * Starts a worker.
 *
 * @param task the worker's task, for error messages
 * @throws VoxlaneError `backend-unavailable` if the browser has no workers or no WebAssembly, `worker-failed` if it
 *   does not let the page start one, `environment` if a bundler for Node has lost the script
 */
function spawn<Api extends object>(name: WorkerName, task: string): WorkerHandle<Api> {
  const missing = missingFeature();
  if (missing !== null) {
    throw new VoxlaneError({
      code: 'backend-unavailable',
      problem: `${missing} is missing or turned off in this browser`,
      expected: 'Chrome or Edge 97, Firefox 114, Safari 16.4, or a later version',
      remedy: 'Update the browser or use another. If a setting or an extension blocks the feature, allow it for this site',
    });
  }
  try {
    return new WorkerHandle<Api>(openWorker(name), task);
  } catch (cause) {
    if (cause instanceof VoxlaneError) throw cause;
    throw new VoxlaneError(
      {
        code: 'worker-failed',
        problem: `The ${task} worker could not be started`,
        expected: 'a Content-Security-Policy that allows workers of this site (worker-src)',
        remedy: 'Check the console for the policy that blocks it',
      },
      { cause },
    );
  }
}

export const spawnDecodeWorker = (): WorkerHandle<DecodeWorkerApi> => spawn('decode', 'decoding');

export const spawnSegmentationWorker = (): WorkerHandle<SegmentationWorkerApi> => spawn('segmentation', 'segmentation');

export const spawnEmbeddingWorker = (): WorkerHandle<EmbeddingWorkerApi> => spawn('embedding', 'embedding');

export const spawnSortformerWorker = (): WorkerHandle<SortformerWorkerApi> => spawn('sortformer', 'diarization');

export const spawnClusteringWorker = (): WorkerHandle<ClusteringWorkerApi> => spawn('clustering', 'clustering');

export const spawnCompareWorker = (): WorkerHandle<CompareWorkerApi> => spawn('compare', 'comparison');
