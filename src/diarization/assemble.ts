import { clusterLocalSpeakers, type ClusteringOptions, type Clusters, type LocalSpeakers } from '../clustering/cluster';
import { margin, type ConfidenceKind } from '../clustering/confidence';
import type { Plda } from '../clustering/plda';
import { cosineDistance } from '../clustering/vectors';
import { clusterByVbx, type VbxClusteringOptions } from '../clustering/vbxClustering';
import { spreadEmbeddings } from '../embedding/spread';
import { turnConfidence } from '../timeline/confidence';
import { countSpeakers } from '../timeline/counting';
import type { TimeGeometry } from '../timeline/geometry';
import { reconstruct, type DiscreteDiarization } from '../timeline/reconstruct';
import { turnsOf, type IndexedTurn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';

/** How local speakers become people. */
export type ClusteringChoice =
  | ({ readonly method: 'agglomerative' } & ClusteringOptions)
  /** Wants a PLDA of the same embedding model. */
  | ({ readonly method: 'vbx' } & VbxClusteringOptions);

/** What holds for a whole recording. */
export interface AssemblyFacts {
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  readonly options: ClusteringChoice;
  /** Frames that must be a speaker's alone for them to stand for the speaker; see `minCleanFrames`. */
  readonly minCleanFrames: number;
}

export interface AssemblyInput extends AssemblyFacts {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  /** Axes (window), 1 where the window was embedded; absent where all were. The others get a mean of those. */
  readonly embedded?: Uint8Array;
}

export interface Assembly extends Clusters {
  /** How many people talk; axes (recording frame). */
  readonly count: Uint8Array;
  readonly diarization: DiscreteDiarization;
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  /** What the turns' `confidence` is. */
  readonly confidenceKind: ConfidenceKind;
  readonly seconds: { readonly counting: number; readonly clustering: number; readonly reconstruction: number };
}

/** Clusters with how sure each local speaker's is. */
interface JudgedClusters extends Clusters {
  /** Axes (window, local speaker), 0 to 1; NaN where nothing is known. */
  readonly confidences: Float64Array;
  readonly confidenceKind: ConfidenceKind;
}

/**
 * Everything after the models: from what each window hears to who spoke when.
 *
 * Matches the end of `SpeakerDiarization.apply` of pyannote.audio 4.0.7.
 *
 * @param plda for the method `vbx`
 * @throws VoxlaneError `options` where the method wants a PLDA and has none, or one of other embeddings
 */
export function assemble(
  input: AssemblyInput,
  plda: Plda | null = null,
): Assembly {
  const { activity, numSpeakers, dimension, geometry, options } = input;
  const start = performance.now();
  const speakersPerFrame = countSpeakers(activity, numSpeakers, geometry);
  const counted = performance.now();

  const numFrames = geometry.framesPerWindow;
  const numWindows = activity.length / (numFrames * numSpeakers);
  const embeddings = input.embedded?.includes(0) ? spreadEmbeddings({ ...input, embedded: input.embedded }) : input.embeddings;
  const local = { activity, embeddings, numWindows, numFrames, numSpeakers, dimension };
  const { hardClusters, centroids, confidences, confidenceKind } = cluster(local, options, plda);
  const clustered = performance.now();

  // No more people can talk at once than there are in the room.
  const count = speakersPerFrame.map((value) => Math.min(value, options.maxSpeakers));
  const stitch = { activity, hardClusters, numLocalSpeakers: numSpeakers, geometry };
  const diarization = reconstruct({ ...stitch, count });
  const exclusive = reconstruct({ ...stitch, count: count.map((value) => Math.min(value, 1)) });
  const judged = (turns: readonly IndexedTurn[]): IndexedTurn[] =>
    turns.map((turn) => ({ ...turn, confidence: turnConfidence(turn, { ...stitch, confidences }) }));
  return {
    hardClusters,
    centroids,
    count,
    diarization,
    turns: judged(turnsOf(diarization, geometry.frames)),
    exclusiveTurns: judged(turnsOf(exclusive, geometry.frames)),
    confidenceKind,
    seconds: {
      counting: (counted - start) / 1000,
      clustering: (clustered - counted) / 1000,
      reconstruction: (performance.now() - clustered) / 1000,
    },
  };
}

function cluster(local: LocalSpeakers, options: ClusteringChoice, plda: Plda | null): JudgedClusters {
  if (options.method === 'agglomerative') return withMargins(local, clusterLocalSpeakers(local, options));
  if (plda) return clusterByVbx(local, plda, options);
  throw new VoxlaneError({
    code: 'options',
    problem: 'VBx was asked for, and no PLDA was loaded',
    expected: 'a PLDA of the same embedding model',
    remedy: 'Name one in the settings of the preset',
  });
}

/** By how much each embedding is nearer to its centroid than to the next one. */
function withMargins(local: LocalSpeakers, clusters: Clusters): JudgedClusters {
  const { embeddings, dimension } = local;
  const { hardClusters, centroids } = clusters;
  const confidences = new Float64Array(hardClusters.length).fill(NaN);
  const scores = new Float64Array(centroids.length);
  // Row by row: of a long recording, all scores at once are many times what is kept of them.
  hardClusters.forEach((cluster, row) => {
    const embedding = embeddings.subarray(row * dimension, (row + 1) * dimension);
    if (cluster < 0 || embedding.some(Number.isNaN)) return;
    centroids.forEach((centroid, k) => (scores[k] = 2 - cosineDistance(embedding, centroid)));
    confidences[row] = margin(scores, cluster);
  });
  return { ...clusters, confidences, confidenceKind: 'margin' };
}
