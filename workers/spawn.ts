import type { ClusteringWorkerApi, CompareWorkerApi, DecodeWorkerApi, EmbeddingWorkerApi, SegmentationWorkerApi } from './contracts';
import { WorkerHandle } from './handle';

// The address must stand inside `new Worker(new URL(…))`, literally: that is the form bundlers look for.

export function spawnDecodeWorker(): WorkerHandle<DecodeWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module', name: 'voxlane decode' }),
    'decoding',
  );
}

export function spawnSegmentationWorker(): WorkerHandle<SegmentationWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('./segmentation.worker.ts', import.meta.url), { type: 'module', name: 'voxlane segmentation' }),
    'segmentation',
  );
}

export function spawnEmbeddingWorker(): WorkerHandle<EmbeddingWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('./embedding.worker.ts', import.meta.url), { type: 'module', name: 'voxlane embedding' }),
    'embedding',
  );
}

export function spawnClusteringWorker(): WorkerHandle<ClusteringWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('./clustering.worker.ts', import.meta.url), { type: 'module', name: 'voxlane clustering' }),
    'clustering',
  );
}

export function spawnCompareWorker(): WorkerHandle<CompareWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('./compare.worker.ts', import.meta.url), { type: 'module', name: 'voxlane compare' }),
    'comparison',
  );
}
