import { INACTIVE, markInactive, type LocalSpeakers } from './cluster';
import { denseOf, multiplyTransposed, zeros } from './dense';

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
