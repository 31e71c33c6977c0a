import type { StagePicture } from '../../../compare/picture';
import type { Box } from './axes';

/** The index along an axis of `size` that a pixel of [from, to] is on. */
function indexAt(pixel: number, from: number, to: number, size: number): number {
  const part = (pixel - from) / (to - from);
  return Math.min(size - 1, Math.max(0, Math.floor(part * size)));
}

/** Index along the column axis under a pixel, before the reduction. */
export const columnAt = (x: number, { left, right }: Box, { columnSize }: Pick<StagePicture, 'columnSize'>): number =>
  indexAt(x, left, right, columnSize);

/** Middle of a column, in pixels. */
export const xOfColumn = (column: number, { left, right }: Box, { columnSize }: Pick<StagePicture, 'columnSize'>): number =>
  left + ((column + 0.5) / columnSize) * (right - left);

/** Row of the heatmap under a pixel; row 0 is at the bottom. */
export const rowAt = (y: number, { top, bottom }: Box, { rows }: Pick<StagePicture, 'rows'>): number =>
  indexAt(bottom - y, 0, bottom - top, rows);

/** The indices that a cell stands for, first and last. */
export const indicesOfCell = (cell: number, cells: number, size: number): readonly [first: number, last: number] => [
  Math.ceil((cell * size) / cells),
  Math.ceil(((cell + 1) * size) / cells) - 1,
];

/** The cell that an index fell into. */
export const cellOfIndex = (index: number, cells: number, size: number): number => Math.floor((index * cells) / size);

/** Seconds at the left and the right edge of the heatmap; null without time. */
export function timeSpan({ time, columnSize }: Pick<StagePicture, 'time' | 'columnSize'>): readonly [start: number, end: number] | null {
  if (!time) return null;
  const start = time.startSeconds - time.stepSeconds / 2;
  return [start, start + columnSize * time.stepSeconds];
}

/** Middle of a column's frame; null without time. */
export const secondsOfColumn = (column: number, { time }: Pick<StagePicture, 'time'>): number | null =>
  time ? time.startSeconds + column * time.stepSeconds : null;

/** The column whose frame is nearest to a moment; null without time. */
export function columnOfSeconds(seconds: number, { time, columnSize }: Pick<StagePicture, 'time' | 'columnSize'>): number | null {
  if (!time) return null;
  return Math.min(columnSize - 1, Math.max(0, Math.round((seconds - time.startSeconds) / time.stepSeconds)));
}

/** Row with the greatest error in a column of cells, and that error; NaN counts as the greatest. */
export function worstRow({ heat, rows, columns }: Pick<StagePicture, 'heat' | 'rows' | 'columns'>, cell: number): { row: number; error: number } {
  let worst = { row: 0, error: heat[cell] ?? 0 };
  for (let row = 0; row < rows && !Number.isNaN(worst.error); row++) {
    const error = heat[row * columns + cell]!;
    if (Number.isNaN(error) || error > worst.error) worst = { row, error };
  }
  return worst;
}
