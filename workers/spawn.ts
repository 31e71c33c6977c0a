import type { ClusteringWorkerApi, CompareWorkerApi, DecodeWorkerApi, EmbeddingWorkerApi, SegmentationWorkerApi } from './contracts';
import { WorkerHandle } from './handle';
import { openWorker } from './openWorker';

export const spawnDecodeWorker = (): WorkerHandle<DecodeWorkerApi> => new WorkerHandle(openWorker('decode'), 'decoding');

export const spawnSegmentationWorker = (): WorkerHandle<SegmentationWorkerApi> =>
  new WorkerHandle(openWorker('segmentation'), 'segmentation');

export const spawnEmbeddingWorker = (): WorkerHandle<EmbeddingWorkerApi> => new WorkerHandle(openWorker('embedding'), 'embedding');

export const spawnClusteringWorker = (): WorkerHandle<ClusteringWorkerApi> =>
  new WorkerHandle(openWorker('clustering'), 'clustering');

export const spawnCompareWorker = (): WorkerHandle<CompareWorkerApi> => new WorkerHandle(openWorker('compare'), 'comparison');
