import { INACTIVE, markInactive, trainableRows, type Clusters, type LocalSpeakers } from './cluster';
import { confidences, type ConfidenceKind } from './confidence';
import { bestClusters, constrainedClusters, type SoftClusters } from './constrained';
import { kMeans } from './kmeans';
import { projectEmbeddings, type Plda, type PldaProjection } from './plda';
import { startLabels, unitEmbeddings } from './startLabels';
import { clusterMeans, cosineDistance, mean } from './vectors';
import { startResponsibilities, vbx, type VbxOptions, type VbxResult } from './vbx';

/** Settings of {@link clusterByVbx}. */
export interface VbxClusteringOptions extends VbxOptions {
  /** Greatest centroid distance, of unit vectors, at which two start clusters are merged: 0 to 2. */
  readonly threshold: number;
  /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
  readonly minSpeakers: number;
  /** `Infinity` for no upper bound; equal to `minSpeakers` for an exact number. */
  readonly maxSpeakers: number;
}

/** The settings that community-1 was tuned with. `minActiveRatio` is the default of pyannote's `filter_embeddings`. */
export const COMMUNITY_1_CLUSTERING: Omit<VbxClusteringOptions, 'minSpeakers' | 'maxSpeakers'> = {
  threshold: 0.6,
  likelihoodScale: 0.07,
  speakerRegularisation: 0.8,
  maxIterations: 20,
  minActiveRatio: 0.2,
};

/** What came before the clusters, for a comparison with pyannote. */
export interface VbxSteps {
  /** Rows that took part, as window × local speaker; all other arrays here are in their order. */
  readonly trainRows: readonly number[];
  readonly projection: PldaProjection;
  readonly startLabels: Int32Array;
  readonly vbx: VbxResult;
}

export interface VbxClusters extends Clusters {
  /** As `hardClusters`, but before silent local speakers were taken out: what pyannote's clustering returns. */
  readonly assigned: Int32Array;
  /** What the clusters were chosen by; silent local speakers are below all others where two may not share one. */
  readonly soft: SoftClusters;
  /**
   * How sure each local speaker's cluster is, 0 to 1; axes (window, local speaker). NaN for a local speaker without
   * cluster or embedding.
   */
  readonly confidences: Float64Array;
  readonly confidenceKind: ConfidenceKind;
  /** Null where fewer than two embeddings took part: nothing was computed then. */
  readonly steps: VbxSteps | null;
}

/** A similarity that is worse than all others by this much: pyannote's. */
const BELOW_ALL = 1;
/** A speaker with a smaller share than this is not there: pyannote's. */
const MIN_PRIOR = 1e-7;

/**
 * Says which local speakers of different windows are the same person: agglomerative start, PLDA, VBx, then every
 * embedding to the most similar speaker, two local speakers of a window never to the same one.
 *
 * Matches `VBxClustering.__call__` of pyannote.audio 4.0.7, with silent local speakers {@link INACTIVE}, as
 * `SpeakerDiarization.apply` makes them. Where the number of speakers is out of bounds, k-means finds as many as are
 * asked for, and local speakers of one window may then share a cluster, as there. Where more are asked for than
 * embeddings took part, each of those is one; pyannote fails.
 *
 * @throws VoxlaneError `options` where the embeddings are not of the size that the PLDA takes
 */
export function clusterByVbx(local: LocalSpeakers, plda: Plda, options: VbxClusteringOptions): VbxClusters {
  const rows = rowsOf(local);
  const trainRows = trainableRows(local, options.minActiveRatio);
  const train = trainRows.map((row) => rows[row]!);
  if (train.length < 2) return oneCluster(local, rows, train);

  const unit = unitEmbeddings(train);
  const labels = startLabels(unit, options.threshold);
  const projection = projectEmbeddings(plda, train);
  const result = vbx(projection.latent, plda.betweenCovariance, startResponsibilities(labels), options);
  const kept = [...result.priors.keys()].filter((speaker) => result.priors[speaker]! > MIN_PRIOR);

  const wanted = Math.min(train.length, Math.max(options.minSpeakers, Math.min(options.maxSpeakers, kept.length)));
  const isForced = wanted !== kept.length;
  const centroids = isForced ? kMeansCentroids(train, unit, wanted) : weightedCentroids(train, result, kept);
  const similarity = similarities(rows, centroids, local.numSpeakers);
  // Forbidding shared clusters would make up more of them than were asked for.
  const soft = isForced ? similarity : withoutSilent(local, similarity);
  const assigned = isForced ? bestClusters(soft) : constrainedClusters(soft);
  const hardClusters = assigned.slice();
  markInactive(local, hardClusters);
  const judge = isForced ? null : { plda, model: result.model, kept };
  return {
    assigned,
    hardClusters,
    centroids,
    soft,
    confidences: confidences(rows, hardClusters, soft, judge),
    confidenceKind: judge ? 'posterior' : 'margin',
    steps: { trainRows, projection, startLabels: labels, vbx: result },
  };
}

function rowsOf({ embeddings, numWindows, numSpeakers, dimension }: LocalSpeakers): Float32Array[] {
  return Array.from({ length: numWindows * numSpeakers }, (_, row) =>
    embeddings.subarray(row * dimension, (row + 1) * dimension),
  );
}

function oneCluster(local: LocalSpeakers, rows: readonly Float32Array[], train: readonly Float32Array[]): VbxClusters {
  const assigned = new Int32Array(rows.length);
  const hardClusters = assigned.slice();
  markInactive(local, hardClusters);
  const scores = new Float64Array(rows.length).fill(1);
  const soft = { scores, numSpeakers: local.numSpeakers, numClusters: 1 };
  return {
    assigned,
    hardClusters,
    centroids: [mean(train, local.dimension)],
    soft,
    confidences: confidences(rows, hardClusters, soft, null),
    confidenceKind: 'margin',
    steps: null,
  };
}

/** Means of the embeddings, each weighted with how much it belongs to the speaker; axes (kept speaker, dimension). */
function weightedCentroids(train: readonly Float32Array[], result: VbxResult, kept: readonly number[]): Float64Array[] {
  const { responsibilities } = result;
  return kept.map((speaker) => {
    const sum = new Float64Array(train[0]!.length);
    let total = 0;
    train.forEach((embedding, row) => {
      const weight = responsibilities.data[row * responsibilities.numColumns + speaker]!;
      total += weight;
      for (let k = 0; k < sum.length; k++) sum[k]! += weight * embedding[k]!;
    });
    return sum.map((value) => value / total);
  });
}

function kMeansCentroids(
  train: readonly Float32Array[],
  unit: readonly Float32Array[],
  numClusters: number,
): Float64Array[] {
  return clusterMeans(train, kMeans(unit, numClusters), numClusters, train[0]!.length);
}

function similarities(
  rows: readonly Float32Array[],
  centroids: readonly Float64Array[],
  numSpeakers: number,
): SoftClusters {
  const numClusters = centroids.length;
  const scores = new Float64Array(rows.length * numClusters);
  rows.forEach((row, index) => {
    centroids.forEach((centroid, cluster) => {
      scores[index * numClusters + cluster] = 2 - cosineDistance(row, centroid);
    });
  });
  return { scores, numSpeakers, numClusters };
}

/**
 * Scores under which a silent local speaker takes no cluster from one who talks. A NaN anywhere makes the scores of
 * the silent NaN too, as numpy's `min` has it, which the assignment takes for the least score.
 */
function withoutSilent(local: LocalSpeakers, soft: SoftClusters): SoftClusters {
  const isSilent = new Int32Array(soft.scores.length / soft.numClusters);
  markInactive(local, isSilent);
  const below = soft.scores.reduce((least, score) => Math.min(least, score), Infinity) - BELOW_ALL;
  const scores = soft.scores.map((score, i) =>
    isSilent[Math.floor(i / soft.numClusters)] === INACTIVE ? below : score,
  );
  return { ...soft, scores };
}
