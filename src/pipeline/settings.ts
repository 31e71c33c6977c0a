import type { ClusteringOptions } from '../clustering/cluster';

/** Which models a pipeline is made of, and the settings that were tuned for them together. */
export interface PipelineSettings {
  readonly segmentation: string;
  readonly embedding: string;
  readonly clustering: Omit<ClusteringOptions, 'minSpeakers' | 'maxSpeakers'>;
  /** Windows that one run of the segmentation model takes at a time on WASM; on a GPU it is measured. */
  readonly wasmBatchWindows: number;
}

/**
 * segmentation-3.0 with CAM++, in the semantics of pyannote.audio 4.0.7's `SpeakerDiarization`.
 *
 * Clustering: pyannote's `AgglomerativeClustering` with centroid linkage; `minActiveRatio` is the default of
 * its `filter_embeddings`. Batches of four make segmentation on WASM about twice as fast as single windows,
 * and larger ones no faster; progress is reported once per batch.
 */
export const CAMPPLUS: PipelineSettings = {
  segmentation: 'segmentation-3.0',
  embedding: 'campplus-zh-en',
  clustering: { threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2 },
  wasmBatchWindows: 4,
};
