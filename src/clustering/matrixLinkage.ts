import { VoxlaneError } from '../util/errors';
import type { Merge } from './dendrogram';
import { type Dense, denseOf, multiplyTile, rowOf, TILE } from './linearAlgebra';

/**
 * Binary min-heap over the indices of an array of keys that change in place.
 *
 * The caller changes `keys[index]` and then calls `changed(index)`.
 */
export class IndexedHeap {
  private readonly indices: Int32Array;
  private readonly positions: Int32Array;
  private count: number;

  /** @param keys axes (index); not copied, read at every call */
  constructor(private readonly keys: Float64Array) {
    this.count = keys.length;
    this.indices = Int32Array.from({ length: this.count }, (_, i) => i);
    this.positions = this.indices.slice();
    for (let position = (this.count >> 1) - 1; position >= 0; position--) this.siftDown(position);
  }

  /** Index of the minimum key. The heap must not be empty. */
  top(): number {
    return this.indices[0]!;
  }

  removeTop(): void {
    this.swap(0, this.count - 1);
    this.count--;
    this.siftDown(0);
  }

  /** Must be called after `keys[index]` changes. Ignores removed indices. */
  changed(index: number): void {
    const position = this.positions[index]!;
    if (position >= this.count) return;
    this.siftUp(position);
    this.siftDown(this.positions[index]!);
  }

  private keyAt(position: number): number {
    return this.keys[this.indices[position]!]!;
  }

  private siftUp(start: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.keyAt(parent) <= this.keyAt(position)) return;
      this.swap(parent, position);
      position = parent;
    }
  }

  private siftDown(start: number): void {
    let position = start;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      let least = position;
      if (left < this.count && this.keyAt(left) < this.keyAt(least)) least = left;
      if (right < this.count && this.keyAt(right) < this.keyAt(least)) least = right;
      if (least === position) return;
      this.swap(position, least);
      position = least;
    }
  }

  private swap(a: number, b: number): void {
    const indexA = this.indices[a]!;
    const indexB = this.indices[b]!;
    this.indices[a] = indexB;
    this.indices[b] = indexA;
    this.positions[indexA] = b;
    this.positions[indexB] = a;
  }
}

/** Upper triangle of a Euclidean distance matrix without its diagonal, row by row. */
interface CondensedDistances {
  /** The distance of points i < j is `values[rowStarts[i] + j]`. */
  readonly values: Float64Array;
  readonly rowStarts: Float64Array | Int32Array;
}

/** A local constant: in unbundled modules, an imported one is looked up at every use. */
const WIDTH: number = TILE;
/** Maximum value of an Int32Array, which is faster than a Float64Array for indices. */
const MAX_INT32 = 2 ** 31 - 1;
/** Columns that are multiplied with every row before the next block: at 256 dimensions, a block fits into a core's cache. */
const BLOCK = 128;
/**
 * If a squared distance is less than this share of the sum of squares from which it is subtracted, too many digits cancel, and
 * the distance is computed from the differences instead. Above this share, twelve digits are left.
 */
const CANCELLED = 1e-3;

/**
 * Distances of all pairs of points, in float64: n(n − 1)/2 values, 1.6 GB for 20,000 points.
 *
 * Computed from dot products of tiles, several times as fast as pair by pair. The sum of each pair runs in the same order
 * wherever the pair is located. Equal pairs therefore have bit-identical distances, and ties stay ties, as in SciPy.
 *
 * @param points axes (point, dimension), free of NaN
 * @throws VoxlaneError `options` if there is not enough memory for this number of points
 */
function condensedDistances(points: readonly ArrayLike<number>[]): CondensedDistances {
  const numPoints = points.length;
  const values = allocate(numPoints);
  const starts = Array.from({ length: numPoints }, (_, i) => numPoints * i - (i * (i + 1)) / 2 - i - 1);
  const rowStarts = values.length <= MAX_INT32 ? Int32Array.from(starts) : Float64Array.from(starts);
  const distances = { values, rowStarts };
  const rows = denseOf(points);
  const squares = Float64Array.from(points, (_, i) => squareOf(rowOf(rows, i)));
  const products = new Float64Array(WIDTH * WIDTH);
  for (let block = 0; block < numPoints; block += BLOCK) {
    const end = Math.min(block + BLOCK, numPoints);
    for (let firstRow = 0; firstRow < end; firstRow += WIDTH) {
      // `block` and `firstRow` are both multiples of the tile width.
      for (let firstColumn = Math.max(block, firstRow); firstColumn < end; firstColumn += WIDTH) {
        multiplyTile(rows, firstRow, rows, firstColumn, products);
        storeTile(distances, rows, squares, firstRow, firstColumn, products);
      }
    }
  }
  return distances;
}

function allocate(numPoints: number): Float64Array {
  const length = (numPoints * Math.max(numPoints - 1, 0)) / 2;
  try {
    return new Float64Array(length);
  } catch (cause) {
    const gigabytes = (length * Float64Array.BYTES_PER_ELEMENT) / 1e9;
    throw new VoxlaneError(
      {
        code: 'options',
        problem: `The recording has ${numPoints} embeddings to cluster; their distances require ${gigabytes.toFixed(1)} GB`,
        expected: 'a number of embeddings whose distances fit into memory: 20,000 require 1.6 GB',
        remedy: 'Split the recording',
      },
      { cause },
    );
  }
}

/** Converts dot products into distances if both points exist and the first is before the second. */
function storeTile(
  { values, rowStarts }: CondensedDistances,
  rows: Dense,
  squares: Float64Array,
  firstRow: number,
  firstColumn: number,
  products: Float64Array,
): void {
  const endRow = Math.min(firstRow + WIDTH, rows.numRows);
  const endColumn = Math.min(firstColumn + WIDTH, rows.numRows);
  for (let i = firstRow; i < endRow; i++) {
    for (let j = Math.max(firstColumn, i + 1); j < endColumn; j++) {
      const scale = squares[i]! + squares[j]!;
      const square = scale - 2 * products[(i - firstRow) * WIDTH + j - firstColumn]!;
      values[rowStarts[i]! + j] = Math.sqrt(square > CANCELLED * scale ? square : squareOfDifference(rows, i, j));
    }
  }
}

function squareOf(point: Float64Array): number {
  let sum = 0;
  for (const value of point) sum += value * value;
  return sum;
}

function squareOfDifference({ data, numColumns }: Dense, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < numColumns; k++) {
    const difference = data[i * numColumns + k]! - data[j * numColumns + k]!;
    sum += difference * difference;
  }
  return sum;
}

/**
 * Agglomerative clustering with centroid linkage (UPGMC) on Euclidean distances.
 *
 * Matches `scipy.cluster.hierarchy.linkage(points, method='centroid')`, merge by merge. Implements the generic
 * algorithm of Müllner, "Modern hierarchical, agglomerative clustering algorithms" (2011), figure 3, with the
 * Lance-Williams update in float64. Typical time O(n²); memory n(n-1)/2 float64 values, allocated once.
 *
 * @param points axes (point, dimension)
 * @returns `numPoints - 1` merges; their distances are not necessarily ascending (centroid inversions)
 * @throws VoxlaneError `options` if there is not enough memory for this number of points
 */
export function matrixLinkage(points: readonly ArrayLike<number>[]): Merge[] {
  const numPoints = points.length;
  const { values, rowStarts } = condensedDistances(points);
  const sizes = new Int32Array(numPoints).fill(1);
  const clusterIds = Int32Array.from({ length: numPoints }, (_, i) => i);
  // neighbors[x] is a candidate for x's nearest later point; lowerBounds[x] is at most the distance to the nearest later point.
  const neighbors = new Int32Array(Math.max(numPoints - 1, 0));
  const lowerBounds = new Float64Array(Math.max(numPoints - 1, 0));

  const findNearest = (x: number): { index: number; distance: number } => {
    let index = -1;
    let distance = Infinity;
    const rowStart = rowStarts[x]!;
    for (let i = x + 1; i < numPoints; i++) {
      if (sizes[i] === 0) continue;
      const candidate = values[rowStart + i]!;
      if (candidate < distance) {
        distance = candidate;
        index = i;
      }
    }
    return { index, distance };
  };

  for (let x = 0; x < numPoints - 1; x++) {
    const nearest = findNearest(x);
    neighbors[x] = nearest.index;
    lowerBounds[x] = nearest.distance;
  }
  const heap = new IndexedHeap(lowerBounds);
  const setNearest = (x: number, index: number, distance: number): void => {
    neighbors[x] = index;
    lowerBounds[x] = distance;
    heap.changed(x);
  };

  const merges: Merge[] = [];
  for (let step = 0; step < numPoints - 1; step++) {
    // The front of the heap may be an outdated bound: recompute until it is exact.
    let x = heap.top();
    while (lowerBounds[x] !== values[rowStarts[x]! + neighbors[x]!]) {
      const nearest = findNearest(x);
      setNearest(x, nearest.index, nearest.distance);
      x = heap.top();
    }
    heap.removeTop();
    const y = neighbors[x]!;
    const distance = lowerBounds[x]!;
    const sizeX = sizes[x]!;
    const sizeY = sizes[y]!;
    merges.push({
      left: Math.min(clusterIds[x]!, clusterIds[y]!),
      right: Math.max(clusterIds[x]!, clusterIds[y]!),
      distance,
      size: sizeX + sizeY,
    });
    // The merged cluster takes the index of y.
    sizes[x] = 0;
    sizes[y] = sizeX + sizeY;
    clusterIds[y] = numPoints + step;

    for (let z = 0; z < numPoints; z++) {
      if (sizes[z] === 0 || z === y) continue;
      const atX = z < x ? rowStarts[z]! + x : rowStarts[x]! + z;
      const atY = z < y ? rowStarts[z]! + y : rowStarts[y]! + z;
      const toMerged = centroidDistance(values[atX]!, values[atY]!, distance, sizeX, sizeY);
      values[atY] = toMerged;
      // The neighbor of z is always a later point.
      if (z > y) continue;
      if (neighbors[z] === x) neighbors[z] = y;
      if (toMerged < lowerBounds[z]!) setNearest(z, y, toMerged);
    }
    if (y < numPoints - 1) {
      const nearest = findNearest(y);
      if (nearest.index !== -1) setNearest(y, nearest.index, nearest.distance);
    }
  }
  return merges;
}

/** Lance-Williams update: distance from a third cluster to the centroid of x ∪ y. */
function centroidDistance(toX: number, toY: number, between: number, sizeX: number, sizeY: number): number {
  const size = sizeX + sizeY;
  const square = (sizeX * toX * toX + sizeY * toY * toY - (sizeX * sizeY * between * between) / size) / size;
    // Rounding can make the square negative if centroids coincide, and NaN distances would break the search.
  return Math.sqrt(Math.max(0, square));
}

/** Input of {@link constrainedLinkage}: points, or means of points that are already together. */
export interface Atoms {
  /** Axes (atom, dimension). */
  readonly centroids: readonly Float64Array[];
  /** Number of points in each atom. */
  readonly sizes: Int32Array;
  /** Group of each atom, or -1. Atoms of different groups are never merged. */
  readonly groups: Int32Array;
}

/**
 * Centroid linkage under cannot-link constraints: always merges the nearest pair that may be merged. Without groups, returns the
 * merges of `matrixLinkage`. Typical time O(n²); memory n(n-1)/2 float64 values.
 *
 * @returns merges as in a dendrogram whose points are the atoms; ends when only clusters of different groups are left
 */
export function constrainedLinkage({ centroids, sizes: startSizes, groups: startGroups }: Atoms): Merge[] {
  const numAtoms = centroids.length;
  const { values, rowStarts } = condensedDistances(centroids);
  const sizes = startSizes.slice();
  const groups = startGroups.slice();
  const ids = Int32Array.from({ length: numAtoms }, (_, i) => i);
  // Nearest later cluster that may be merged with each cluster; -1 for none.
  const neighbors = new Int32Array(numAtoms).fill(-1);
  const nearest = new Float64Array(numAtoms).fill(Infinity);
  const placeOf = (a: number, b: number): number => (a < b ? rowStarts[a]! + b : rowStarts[b]! + a);
  const mayMerge = (a: number, b: number): boolean => groups[a] === -1 || groups[b] === -1 || groups[a] === groups[b];
  const search = (x: number): void => {
    neighbors[x] = -1;
    nearest[x] = Infinity;
    for (let i = x + 1; i < numAtoms; i++) {
      const distance = values[rowStarts[x]! + i]!;
      if (sizes[i] === 0 || distance >= nearest[x] || !mayMerge(x, i)) continue;
      nearest[x] = distance;
      neighbors[x] = i;
    }
  };

  for (let x = 0; x < numAtoms; x++) search(x);
  const merges: Merge[] = [];
  for (;;) {
    let x = 0;
    for (let i = 1; i < numAtoms; i++) if (nearest[i]! < nearest[x]!) x = i;
    const y = neighbors[x]!;
    if (y === -1) return merges;
    const distance = nearest[x]!;
    const [sizeX, sizeY] = [sizes[x]!, sizes[y]!];
    const size = sizeX + sizeY;
    merges.push({ left: Math.min(ids[x]!, ids[y]!), right: Math.max(ids[x]!, ids[y]!), distance, size });
    // The merged cluster takes the index of y.
    sizes[x] = 0;
    nearest[x] = Infinity;
    neighbors[x] = -1;
    sizes[y] = size;
    ids[y] = numAtoms + merges.length - 1;
    groups[y] = Math.max(groups[x]!, groups[y]!);
    for (let z = 0; z < numAtoms; z++) {
      if (sizes[z] === 0 || z === y) continue;
      const [toX, toY] = [values[placeOf(z, x)]!, values[placeOf(z, y)]!];
      const square = (sizeX * toX * toX + sizeY * toY * toY - (sizeX * sizeY * distance * distance) / size) / size;
      const toMerged = Math.sqrt(Math.max(0, square));
      values[placeOf(z, y)] = toMerged;
      if (z > y) continue;
      if (neighbors[z] === x || neighbors[z] === y) search(z);
      else if (toMerged < nearest[z]! && mayMerge(z, y)) {
        nearest[z] = toMerged;
        neighbors[z] = y;
      }
    }
    search(y);
  }
}
