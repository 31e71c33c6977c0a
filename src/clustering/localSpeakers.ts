import { denseOf, multiplyTransposed, zeros } from './linearAlgebra';

/**
 * The meaning of a confidence: VBx's posterior probability of the cluster, or the margin by which the cosine similarity to the
 * cluster exceeds the similarity to the next best one. Values of the two kinds are not comparable.
 */
export type ConfidenceKind = 'posterior' | 'margin';

/** Cluster of a local speaker that is silent in its window. */
export const INACTIVE = -2;

/** Every (window, local speaker) of a recording, row-major. */
export interface LocalSpeakers {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN if there is too little speech. */
  readonly embeddings: Float32Array;
  readonly numWindows: number;
  readonly numFrames: number;
  readonly numSpeakers: number;
  readonly dimension: number;
}

/** Bounds on the number of speakers. */
export interface SpeakerBounds {
  readonly minSpeakers: number;
  /** `Infinity` for no upper bound. */
  readonly maxSpeakers: number;
}

export interface ClusteringOptions extends SpeakerBounds {
  readonly threshold: number;
  readonly minClusterSize: number;
  /** An embedding takes part in clustering if its speaker talks alone for at least this share of the window. */
  readonly minActiveRatio: number;
}

export interface Clusters {
  /** Axes (window, local speaker): cluster index, or {@link INACTIVE}. */
  readonly hardClusters: Int32Array;
  /** Axes (cluster, dimension): mean of the embeddings that took part; NaN if there are none. */
  readonly centroids: readonly Float64Array[];
}

/** A number of speakers and its likelihood. */
export interface CountScore {
  /** Number of speakers. */
  readonly value: number;
  /** Share of the total likelihood of all counts, 0 to 1. */
  readonly score: number;
}

/** Clusters with a confidence for each local speaker. */
export interface JudgedClusters extends Clusters {
  /** Axes (window, local speaker), 0 to 1; NaN if unknown. */
  readonly confidences: Float64Array;
  readonly confidenceKind: ConfidenceKind;
  /** Likelihood of each number of speakers, the most likely first; absent if the method does not estimate it. */
  readonly counts?: readonly CountScore[];
  /** Cluster of each constraint, -1 if no local speaker matches it; absent without constraints. */
  readonly constraintClusters?: readonly number[];
}

/** Rows, as window × local speaker, that are free of NaN and whose speaker talks alone long enough. */
export function trainableRows({ activity, embeddings, ...sizes }: LocalSpeakers, minActiveRatio: number): number[] {
  const { numWindows, numFrames, numSpeakers, dimension } = sizes;
  const rows: number[] = [];
  const aloneFrames = new Int32Array(numSpeakers);
  for (let window = 0; window < numWindows; window++) {
    aloneFrames.fill(0);
    for (let frame = 0; frame < numFrames; frame++) {
      const start = (window * numFrames + frame) * numSpeakers;
      let alone = -1;
      let count = 0;
      for (let speaker = 0; speaker < numSpeakers; speaker++) {
        if (!activity[start + speaker]) continue;
        alone = speaker;
        count++;
      }
      if (count === 1) aloneFrames[alone] = aloneFrames[alone]! + 1;
    }
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      const row = window * numSpeakers + speaker;
      const valid = embeddings.subarray(row * dimension, (row + 1) * dimension).every((x) => !Number.isNaN(x));
      if (valid && aloneFrames[speaker]! >= minActiveRatio * numFrames) rows.push(row);
    }
  }
  return rows;
}

/** Sets the cluster of local speakers that are silent in their window to {@link INACTIVE}, in place. */
function markInactive(
  { activity, numWindows, numFrames, numSpeakers }: LocalSpeakers,
  hardClusters: Int32Array,
): void {
  for (let window = 0; window < numWindows; window++) {
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      let active = false;
      for (let frame = 0; frame < numFrames && !active; frame++) {
        active = activity[(window * numFrames + frame) * numSpeakers + speaker] === 1;
      }
      if (!active) hardClusters[window * numSpeakers + speaker] = INACTIVE;
    }
  }
}

/** Rows compared with all centroids at a time: few enough to stay in the cache. */
const BLOCK = 256;

/** The local speakers of a recording as rows (window × local speaker), with precomputed values that all clusterings need. */
export class VoiceTable {
  /** Axes (row, dimension); views of the embeddings, not copies. */
  readonly rows: readonly Float32Array[];
  /** Squared length of each row; NaN if there is no embedding. */
  readonly squares: Float64Array;
  /** Axes (row): 1 if the local speaker is silent in its window. */
  readonly isSilent: Uint8Array;

  constructor(readonly local: LocalSpeakers) {
    const { embeddings, numWindows, numSpeakers, dimension } = local;
    this.rows = Array.from({ length: numWindows * numSpeakers }, (_, row) =>
      embeddings.subarray(row * dimension, (row + 1) * dimension),
    );
    this.squares = Float64Array.from(this.rows, squareOf);
    const marks = new Int32Array(this.rows.length);
    markInactive(local, marks);
    this.isSilent = Uint8Array.from(marks, (mark) => (mark === INACTIVE ? 1 : 0));
  }

  hasEmbedding(row: number): boolean {
    return !Number.isNaN(this.squares[row]!);
  }

  /** Sets the cluster of local speakers that are silent in their window to {@link INACTIVE}, in place. */
  silence(hardClusters: Int32Array): void {
    for (let row = 0; row < hardClusters.length; row++) if (this.isSilent[row]) hardClusters[row] = INACTIVE;
  }

  /**
   * Compares rows with centroids in blocks. The results are bit-identical to `cosineDistance` of each pair.
   *
   * @param rowIndices rows to compare; default: all
   * @param visit receives the index into `rowIndices` and the distances, axes (centroid); the array is reused after each call
   */
  compare(
    centroids: readonly Float64Array[],
    visit: (index: number, distances: Float64Array) => void,
    rowIndices?: ArrayLike<number>,
  ): void {
    const count = rowIndices?.length ?? this.rows.length;
    const columns = denseOf(centroids);
    const numCentroids = centroids.length;
    const centroidSquares = centroids.map(squareOf);
    const { dimension } = this.local;
    const block = zeros(Math.min(BLOCK, count), dimension);
    const distances = zeros(block.numRows, numCentroids);
    for (let from = 0; from < count; from += BLOCK) {
      const size = Math.min(BLOCK, count - from);
      for (let i = 0; i < size; i++) block.data.set(this.rows[rowIndices?.[from + i] ?? from + i]!, i * dimension);
      multiplyTransposed({ ...block, numRows: size }, columns, distances);
      for (let i = 0; i < size; i++) {
        const start = i * numCentroids;
        const square = this.squares[rowIndices?.[from + i] ?? from + i]!;
        for (let k = 0; k < numCentroids; k++) {
          distances.data[start + k] = 1 - distances.data[start + k]! / Math.sqrt(square * centroidSquares[k]!);
        }
        visit(from + i, distances.data.subarray(start, start + numCentroids));
      }
    }
  }
}

function squareOf(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
