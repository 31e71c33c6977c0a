import { denseOf, multiplyTransposed, zeros } from './linearAlgebra';

/**
 * What a confidence is: VBx's posterior probability of the cluster, or by how much the cosine similarity to the cluster
 * exceeds the one to the next best. The two are not to be compared.
 */
export type ConfidenceKind = 'posterior' | 'margin';

/** A local speaker's cluster is this where the speaker is silent in its window. */
export const INACTIVE = -2;

/** Every (window, local speaker) of a recording, row-major. */
export interface LocalSpeakers {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  readonly numWindows: number;
  readonly numFrames: number;
  readonly numSpeakers: number;
  readonly dimension: number;
}

/** How many speakers there may be. */
export interface SpeakerBounds {
  readonly minSpeakers: number;
  /** `Infinity` for no upper bound. */
  readonly maxSpeakers: number;
}

export interface ClusteringOptions extends SpeakerBounds {
  readonly threshold: number;
  readonly minClusterSize: number;
  /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
}

export interface Clusters {
  /** Axes (window, local speaker): cluster index, or {@link INACTIVE}. */
  readonly hardClusters: Int32Array;
  /** Axes (cluster, dimension): mean of the embeddings that took part; NaN where none did. */
  readonly centroids: readonly Float64Array[];
}

/** A number of speakers, and how likely it is. */
export interface CountScore {
  /** Number of speakers. */
  readonly value: number;
  /** Share of the likelihood of all numbers, 0 to 1. */
  readonly score: number;
}

/** Clusters with how sure each local speaker's is. */
export interface JudgedClusters extends Clusters {
  /** Axes (window, local speaker), 0 to 1; NaN where nothing is known. */
  readonly confidences: Float64Array;
  readonly confidenceKind: ConfidenceKind;
  /** How likely each number of speakers is, the most likely first; absent if the method does not tell. */
  readonly counts?: readonly CountScore[];
  /** Cluster of each entry of the constraints, -1 where none of its segments is heard; absent without constraints. */
  readonly constraintClusters?: readonly number[];
}

/** Rows, as window × speaker, that are free of NaN and whose speaker talks alone long enough. */
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

/** Takes local speakers that are silent in their window out of every cluster, in place. */
export function markInactive(
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

/** Rows that are compared with all centroids at a time: as many as stay near the processor. */
const BLOCK = 256;

/** The local speakers of a recording as rows (window × local speaker), with what every clustering of them wants to know. */
export class VoiceTable {
  /** Axes (row, dimension); parts of the embeddings, not copies. */
  readonly rows: readonly Float32Array[];
  /** Squared length of each row; NaN without an embedding. */
  readonly squares: Float64Array;
  /** Axes (row), 1 where the local speaker does not talk in its window. */
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

  /** Takes local speakers that are silent in their window out of every cluster, in place. */
  silence(hardClusters: Int32Array): void {
    for (let row = 0; row < hardClusters.length; row++) if (this.isSilent[row]) hardClusters[row] = INACTIVE;
  }

  /**
   * Compares rows with centroids: `cosineDistance` of each pair, to the bit, several at a time.
   *
   * @param rowIndices rows to compare; by default all
   * @param visit is given the index into `rowIndices` and the distances, axes (centroid), which are true during the call only
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
