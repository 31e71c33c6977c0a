import { xOf, type Geometry } from './geometry';
import type { Lane } from './model';

/** Turns added up in one step. */
const STEP_TURNS = 2000;

export interface Overview {
  /** Columns of one CSS pixel. */
  readonly numColumns: number;
  readonly numRows: number;
  /** Seconds of speech, axes (row, column). The lanes are spread evenly over the rows. */
  readonly speech: Float32Array;
}

/** The amount of speech over time, for more lanes than rows. In steps, because there can be a million turns. */
export function* overviewSteps(lanes: readonly Lane[], geometry: Geometry, numRows: number): Generator<void, Overview> {
  const numColumns = Math.ceil(geometry.width);
  const speech = new Float32Array(numRows * numColumns);
  let added = 0;
  for (const [index, { turns }] of lanes.entries()) {
    const row = Math.floor((index * numRows) / lanes.length) * numColumns;
    for (const { startSeconds, endSeconds } of turns) {
      const left = Math.max(0, xOf(geometry, startSeconds));
      const right = Math.min(numColumns, xOf(geometry, endSeconds));
      for (let column = Math.floor(left); column < right; column += 1) {
        speech[row + column]! += (Math.min(right, column + 1) - Math.max(left, column)) * geometry.secondsPerPixel;
      }
      added += 1;
      if (added % STEP_TURNS === 0) yield;
    }
  }
  return { numColumns, numRows, speech };
}

/** The more speech, the darker a cell. Every cell with speech is visible. */
export function paintOverview(context: CanvasRenderingContext2D, { numColumns, numRows, speech }: Overview, top: number, height: number): void {
  const most = speech.reduce((greatest, seconds) => Math.max(greatest, seconds), 0);
  const rowHeight = height / numRows;
  for (let row = 0; row < numRows; row += 1) {
    for (let column = 0; column < numColumns; column += 1) {
      const seconds = speech[row * numColumns + column]!;
      if (seconds === 0) continue;
      context.globalAlpha = 0.25 + (0.75 * seconds) / most;
      context.fillRect(column, top + row * rowHeight, 1, rowHeight);
    }
  }
  context.globalAlpha = 1;
}
