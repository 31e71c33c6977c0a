import { type Dense, multiplyTile, rowOf, TILE, zeros } from './linearAlgebra';

/**
 * Short approximations of rows: the first values, then the norm of the rest. By the triangle inequality, two
 * sketches are never farther apart than their rows.
 *
 * @param rows axes (row, dimension)
 * @param numLeading number of values kept; padded with zeros if a row has fewer
 * @returns axes (row, numLeading + 1)
 */
export function sketchesOf(rows: Dense, numLeading: number): Dense {
  const sketches = zeros(rows.numRows, numLeading + 1);
  for (let i = 0; i < rows.numRows; i++) writeSketch(rows, i, sketches, i);
  return sketches;
}

/** Writes the sketch of row `row` to row `place` of `sketches`. */
export function writeSketch(rows: Dense, row: number, sketches: Dense, place: number): void {
  const from = rowOf(rows, row);
  const to = rowOf(sketches, place);
  const numLeading = sketches.numColumns - 1;
  to.set(from.subarray(0, numLeading));
  let square = 0;
  for (let k = numLeading; k < from.length; k++) square += from[k]! * from[k]!;
  to[numLeading] = Math.sqrt(square);
}

/** Maximum rounding error of the distance of two sketches, and of its square if computed from dot products. */
interface Slack {
  readonly distance: number;
  readonly square: number;
}

/** Sums have one term per dimension, each at most the greatest square. Four times the possible rounding error. */
export function slackOf(rows: Dense): Slack {
  let greatest = 0;
  for (let i = 0; i < rows.numRows; i++) greatest = Math.max(greatest, squareOf(rows, i));
  const part = 4 * rows.numColumns * Number.EPSILON;
  return { distance: part * Math.sqrt(greatest), square: part * greatest };
}

/** Sum of the squares of one row. */
function squareOf(rows: Dense, row: number): number {
  let sum = 0;
  for (const value of rowOf(rows, row)) sum += value * value;
  return sum;
}

/** Number of dimensions between checks whether a distance already exceeds the limit. */
const STRIDE = 32;

/**
 * Squared distance of two rows; `Infinity` if the running sum exceeds `limit`. Equal rows have a distance of
 * exactly 0.
 */
export function squareWithin({ data, numColumns }: Dense, i: number, j: number, limit: number): number {
  const a = i * numColumns;
  const b = j * numColumns;
  let sum = 0;
  for (let k = 0; k < numColumns; ) {
    const end = Math.min(numColumns, k + STRIDE);
    // Two sums, because each addition depends on the one before.
    let even = 0;
    let odd = 0;
    for (; k + 1 < end; k += 2) {
      const first = data[a + k]! - data[b + k]!;
      const second = data[a + k + 1]! - data[b + k + 1]!;
      even += first * first;
      odd += second * second;
    }
    if (k < end) {
      const last = data[a + k]! - data[b + k]!;
      even += last * last;
      k++;
    }
    sum += even + odd;
    if (sum > limit) return Infinity;
  }
  return sum;
}

/** Rows per cell. */
const CELL = 64;

/**
 * Orders rows so that near rows are adjacent: splits them at the median along the axis with the greatest variance, then splits
 * the halves, down to cells of {@link CELL} rows, like a k-d tree.
 *
 * @returns row at each place
 */
function cellOrder({ data, numRows, numColumns }: Dense): Int32Array {
  const order = Int32Array.from({ length: numRows }, (_, i) => i);
  const widestAxis = (from: number, to: number): number => {
    let axis = 0;
    let greatest = -Infinity;
    for (let k = 0; k < numColumns; k++) {
      let sum = 0;
      let squares = 0;
      for (let place = from; place < to; place++) {
        const value = data[order[place]! * numColumns + k]!;
        sum += value;
        squares += value * value;
      }
      const variance = squares - (sum * sum) / (to - from);
      if (variance > greatest) {
        greatest = variance;
        axis = k;
      }
    }
    return axis;
  };
  const halve = (from: number, to: number): void => {
    if (to - from <= CELL) return;
    const axis = widestAxis(from, to);
    const valueOf = (row: number): number => data[row * numColumns + axis]!;
    order.subarray(from, to).sort((a, b) => valueOf(a) - valueOf(b) || a - b);
    const middle = from + CELL * Math.ceil((to - from) / (2 * CELL));
    halve(from, middle);
    halve(middle, to);
  };
  halve(0, numRows);
  return order;
}

/** Copies of the rows, in the given order. */
function reordered(rows: Dense, order: Int32Array): Dense {
  const result = zeros(rows.numRows, rows.numColumns);
  const { numColumns } = rows;
  order.forEach((row, place) => {
    result.data.set(rows.data.subarray(row * numColumns, (row + 1) * numColumns), place * numColumns);
  });
  return result;
}

/** The bounding box of each cell, for a lower bound of the distance between two cells. */
class CellBoxes {
  readonly count: number;
  private readonly least: Dense;
  private readonly greatest: Dense;

  /** @param rows axes (place, dimension), in the order of {@link cellOrder} */
  constructor({ data, numRows, numColumns }: Dense) {
    this.count = Math.ceil(numRows / CELL);
    this.least = zeros(this.count, numColumns);
    this.greatest = zeros(this.count, numColumns);
    this.least.data.fill(Infinity);
    this.greatest.data.fill(-Infinity);
    for (let place = 0; place < numRows; place++) {
      const box = Math.floor(place / CELL) * numColumns;
      for (let k = 0; k < numColumns; k++) {
        const value = data[place * numColumns + k]!;
        if (value < this.least.data[box + k]!) this.least.data[box + k] = value;
        if (value > this.greatest.data[box + k]!) this.greatest.data[box + k] = value;
      }
    }
  }

  /** Lower bound of the squared distance between a row of cell `a` and a row of cell `b`. */
  gapSquare(a: number, b: number): number {
    const { numColumns } = this.least;
    const atA = a * numColumns;
    const atB = b * numColumns;
    let sum = 0;
    for (let k = 0; k < numColumns; k++) {
      const below = this.least.data[atA + k]! - this.greatest.data[atB + k]!;
      const above = this.least.data[atB + k]! - this.greatest.data[atA + k]!;
      const gap = Math.max(0, below, above);
      sum += gap * gap;
    }
    return sum;
  }
}

/** The nearest later row of each row except the last. Axes (row). */
interface NearestLater {
  /** The first row at the minimum distance. */
  readonly neighbors: Int32Array;
  readonly distances: Float64Array;
  /** Distance of the second nearest; `Infinity` if there is only one later row. */
  readonly runnersUp: Float64Array;
}

/** A local constant: in unbundled modules, an imported one is looked up at every use. */
const WIDTH: number = TILE;
/** Number of following rows compared first: windows overlap, so these are often the nearest. */
const NUM_FOLLOWING = 8;
/** Leading values of the longer sketches, which are used if too many pairs of a tile remain. */
const NUM_LEADING = 64;
/** If more pairs of a tile than this remain, all its dot products cost less than the single distances. */
const FEW = 5;

/**
 * Finds the two nearest later rows of each row, exactly. Most of the n(n − 1)/2 pairs need no distance: rows are grouped into
 * cells of near rows, and pairs of cells, then of rows, are skipped if their sketches are too far apart.
 *
 * @param rows axes (row, dimension), along the principal axes, so that sketches account for most of a distance
 * @param sketches short sketches of the rows
 */
export function nearestLater(rows: Dense, sketches: Dense): NearestLater {
  const search = new Search(rows, sketches);
  search.followers();
  search.cells();
  return { neighbors: search.neighbors, distances: search.squares.map(Math.sqrt), runnersUp: search.runnerUpSquares.map(Math.sqrt) };
}

/** Sketches of one length in cell order, with the squared lengths that are needed to derive distances from dot products. */
interface Level {
  readonly rows: Dense;
  readonly squares: Float64Array;
}

class Search {
  readonly neighbors: Int32Array;
  readonly squares: Float64Array;
  readonly runnerUpSquares: Float64Array;
  /** Row at each place of the cells. */
  private readonly order: Int32Array;
  /** `runnerUpSquares` by place, plus a margin for rounding. 0 for the last row, which has no later one. */
  private readonly limits: Float64Array;
  private readonly short: Level;
  private readonly slack: Slack;
  private readonly products = new Float64Array(TILE * TILE);
  private readonly isLeft = new Uint8Array(TILE * TILE);

  constructor(
    private readonly all: Dense,
    sketches: Dense,
  ) {
    const { numRows } = all;
    this.neighbors = new Int32Array(numRows - 1).fill(-1);
    this.squares = new Float64Array(numRows - 1).fill(Infinity);
    this.runnerUpSquares = new Float64Array(numRows - 1).fill(Infinity);
    this.slack = slackOf(all);
    this.order = cellOrder(sketches);
    this.limits = new Float64Array(numRows).fill(Infinity);
    this.short = levelOf(reordered(sketches, this.order));
  }

  followers(): void {
    const { numRows } = this.all;
    for (let i = 0; i < numRows; i++) {
      for (let j = i + 1; j < numRows && j <= i + NUM_FOLLOWING; j++) this.offer(i, j);
    }
  }

  cells(): void {
    const { all, order, limits, short } = this;
    const { numRows } = all;
    const long = levelOf(reordered(sketchesOf(all, NUM_LEADING), order));
    const whole = levelOf(reordered(all, order));
    const boxes = new CellBoxes(short.rows);
    for (let place = 0; place < numRows; place++) limits[place] = this.limitOf(order[place]!);
    const farthest = Float64Array.from({ length: boxes.count }, (_, cell) => this.farthestOf(cell));
    for (let right = 0; right < boxes.count; right++) {
      // Start with the cell itself and go backward: near cells tighten the limits early.
      for (let left = right; left >= 0; left--) {
        if (boxes.gapSquare(left, right) > Math.max(farthest[left]!, farthest[right]!)) continue;
        const endLeft = Math.min(numRows, (left + 1) * CELL);
        const endRight = Math.min(numRows, (right + 1) * CELL);
        for (let first = left * CELL; first < endLeft; first += WIDTH) {
          for (let second = left === right ? first : right * CELL; second < endRight; second += WIDTH) {
            let numLeft = this.startTile(first, second);
            if (numLeft > FEW) numLeft = this.narrowTile(long, first, second);
            if (numLeft > FEW) numLeft = this.narrowTile(whole, first, second);
            if (numLeft > 0) this.offerTile(first, second);
          }
        }
        farthest[left] = this.farthestOf(left);
        farthest[right] = this.farthestOf(right);
      }
    }
  }

  /** Marks the pairs of a tile that may be near enough. @returns number of marked pairs */
  private startTile(first: number, second: number): number {
    const { limits, products, isLeft, short } = this;
    const { squares } = short;
    const { numRows } = this.all;
    multiplyTile(short.rows, first, short.rows, second, products);
    const endFirst = Math.min(first + WIDTH, numRows);
    const endSecond = Math.min(second + WIDTH, numRows);
    isLeft.fill(0);
    let numLeft = 0;
    for (let p = first; p < endFirst; p++) {
      for (let q = Math.max(second, p + 1); q < endSecond; q++) {
        const at = (p - first) * WIDTH + q - second;
        const square = squares[p]! + squares[q]! - 2 * products[at]!;
        if (square > limits[p]! && square > limits[q]!) continue;
        if (square > this.limitOfPair(p, q)) continue;
        isLeft[at] = 1;
        numLeft++;
      }
    }
    return numLeft;
  }

  /** Unmarks pairs whose longer sketches are too far apart. @returns number of pairs that remain */
  private narrowTile({ rows, squares }: Level, first: number, second: number): number {
    const { products, isLeft } = this;
    multiplyTile(rows, first, rows, second, products);
    let numLeft = 0;
    for (let at = 0; at < isLeft.length; at++) {
      if (isLeft[at] === 0) continue;
      const p = first + Math.floor(at / WIDTH);
      const q = second + (at % WIDTH);
      if (squares[p]! + squares[q]! - 2 * products[at]! > this.limitOfPair(p, q)) isLeft[at] = 0;
      else numLeft++;
    }
    return numLeft;
  }

  private offerTile(first: number, second: number): void {
    const { order, isLeft, limits } = this;
    for (let at = 0; at < isLeft.length; at++) {
      if (isLeft[at] === 0) continue;
      const p = first + Math.floor(at / WIDTH);
      const q = second + (at % WIDTH);
      const isForward = order[p]! < order[q]!;
      const i = isForward ? order[p]! : order[q]!;
      const j = isForward ? order[q]! : order[p]!;
      // Pairs of following rows were already compared in `followers`.
      if (j <= i + NUM_FOLLOWING) continue;
      this.offer(i, j);
      limits[isForward ? p : q] = this.limitOf(i);
    }
  }

  private offer(i: number, j: number): void {
    const { neighbors, squares, runnerUpSquares } = this;
    const square = squareWithin(this.all, i, j, runnerUpSquares[i]!);
    if (square < squares[i]! || (square === squares[i]! && j < neighbors[i]!)) {
      runnerUpSquares[i] = squares[i]!;
      squares[i] = square;
      neighbors[i] = j;
    } else if (square < runnerUpSquares[i]!) {
      runnerUpSquares[i] = square;
    }
  }

  /** Maximum squared distance of sketches, from dot products, at which a later row can be among the two nearest. */
  private limitOf(row: number): number {
    // The last row has no later row.
    if (row === this.runnerUpSquares.length) return 0;
    const limit = Math.sqrt(this.runnerUpSquares[row]!) + this.slack.distance;
    return limit * limit + this.slack.square;
  }

  private limitOfPair(p: number, q: number): number {
    return this.limits[this.order[p]! < this.order[q]! ? p : q]!;
  }

  private farthestOf(cell: number): number {
    let greatest = 0;
    const end = Math.min(this.limits.length, (cell + 1) * CELL);
    for (let place = cell * CELL; place < end; place++) greatest = Math.max(greatest, this.limits[place]!);
    return greatest;
  }
}

function levelOf(rows: Dense): Level {
  return { rows, squares: Float64Array.from({ length: rows.numRows }, (_, row) => squareOf(rows, row)) };
}
