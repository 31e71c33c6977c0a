import { CELL, CellBoxes, cellOrder, reordered } from './cells';
import { multiplyTile, TILE, type Dense } from './dense';
import { sketchesOf, slackOf, squareOf, squareWithin, type Slack } from './sketches';

/** Of each row but the last, which later row is nearest. Axes (row). */
export interface NearestLater {
  /** The first of those at the least distance. */
  readonly neighbours: Int32Array;
  readonly distances: Float64Array;
  /** Distance of the next nearest; `Infinity` where there is only one later row. */
  readonly runnersUp: Float64Array;
}

/** Of its own, because an imported constant is looked up at every use where modules are not bundled. */
const WIDTH: number = TILE;
/** Rows right after each that are looked at first: windows overlap, so that they are often the nearest. */
const NUM_FOLLOWING = 8;
/** Dimensions of the sketches that a tile of pairs is judged by once too many of it are left. */
const NUM_LEADING = 64;
/** Where more pairs of a tile than this are left, all its dot products cost less than the single distances. */
const FEW = 5;

/**
 * The nearest two later rows of each, exactly, of n(n − 1)/2 pairs without a distance for most: rows are put into cells
 * of near ones, and a pair of cells, then of rows, is passed over where its sketches are too far apart.
 *
 * @param rows axes (row, dimension), along principal axes, so that sketches tell most
 * @param sketches of the rows, short ones
 */
export function nearestLater(rows: Dense, sketches: Dense): NearestLater {
  const search = new Search(rows, sketches);
  search.followers();
  search.cells();
  return { neighbours: search.neighbours, distances: search.squares.map(Math.sqrt), runnersUp: search.runnerUpSquares.map(Math.sqrt) };
}

/** Sketches of one length in the order of the cells, with the squares that turn dot products into distances. */
interface Level {
  readonly rows: Dense;
  readonly squares: Float64Array;
}

class Search {
  readonly neighbours: Int32Array;
  readonly squares: Float64Array;
  readonly runnerUpSquares: Float64Array;
  /** Row at each place of the cells. */
  private readonly order: Int32Array;
  /** By place, what `runnerUpSquares` is by row, with a little more for rounding. The last row has no later one. */
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
    this.neighbours = new Int32Array(numRows - 1).fill(-1);
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
      // From the cell itself backwards: near cells narrow the limits early.
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

  /** Marks the pairs of a tile that may be near enough; one test for both rows of a pair, the wider one. */
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

  /** Takes away pairs that longer sketches show to be too far apart. */
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
      // Else it was offered at the beginning.
      if (j <= i + NUM_FOLLOWING) continue;
      this.offer(i, j);
      limits[isForward ? p : q] = this.limitOf(i);
    }
  }

  private offer(i: number, j: number): void {
    const { neighbours, squares, runnerUpSquares } = this;
    const square = squareWithin(this.all, i, j, runnerUpSquares[i]!);
    if (square < squares[i]! || (square === squares[i]! && j < neighbours[i]!)) {
      runnerUpSquares[i] = squares[i]!;
      squares[i] = square;
      neighbours[i] = j;
    } else if (square < runnerUpSquares[i]!) {
      runnerUpSquares[i] = square;
    }
  }

  /** Square of the sketches' distance, by dot products, above which a later row is farther than the two nearest. */
  private limitOf(row: number): number {
    // No limit for the last row: it is never the earlier one of a pair.
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
