import type { StagePicture } from '../../compare/picture';
import { fitCanvas, h, setText } from '../../ui-kit/dom';
import type { Scope } from '../../ui-kit/scope';
import { figure, shortFigure } from '../figures';
import type { HeatScale } from '../state';
import { text } from '../text';
import { heatDomain, type HeatDomain, heatPixels } from './colorMap';
import {
  type Box,
  boxOf,
  createPlot,
  GUTTER,
  indexTicks,
  labelBelow,
  labelLeft,
  niceTicks,
  type PaintSource,
  type Pen,
  type PlotPaints,
  type Size,
  titleAxes,
} from './plot';

/** The index at a pixel in [from, to], along an axis of `size`. */
function indexAt(pixel: number, from: number, to: number, size: number): number {
  const part = (pixel - from) / (to - from);
  return Math.min(size - 1, Math.max(0, Math.floor(part * size)));
}

/** The column index at a pixel, before the reduction. */
export const columnAt = (x: number, { left, right }: Box, { columnSize }: Pick<StagePicture, 'columnSize'>): number =>
  indexAt(x, left, right, columnSize);

/** Center of a column, in pixels. */
export const xOfColumn = (column: number, { left, right }: Box, { columnSize }: Pick<StagePicture, 'columnSize'>): number =>
  left + ((column + 0.5) / columnSize) * (right - left);

/** The heatmap row at a pixel; row 0 is at the bottom. */
export const rowAt = (y: number, { top, bottom }: Box, { rows }: Pick<StagePicture, 'rows'>): number =>
  indexAt(bottom - y, 0, bottom - top, rows);

/** The first and last index covered by a cell. */
export const indicesOfCell = (cell: number, cells: number, size: number): readonly [first: number, last: number] => [
  Math.ceil((cell * size) / cells),
  Math.ceil(((cell + 1) * size) / cells) - 1,
];

/** The cell that contains an index. */
export const cellOfIndex = (index: number, cells: number, size: number): number => Math.floor((index * cells) / size);

/** Seconds at the left and right edge of the heatmap; null without a time axis. */
export function timeSpan({ time, columnSize }: Pick<StagePicture, 'time' | 'columnSize'>): readonly [start: number, end: number] | null {
  if (!time) return null;
  const start = time.startSeconds - time.stepSeconds / 2;
  return [start, start + columnSize * time.stepSeconds];
}

/** Center time of a column's frame; null without a time axis. */
export const secondsOfColumn = (column: number, { time }: Pick<StagePicture, 'time'>): number | null =>
  time ? time.startSeconds + column * time.stepSeconds : null;

/** The column whose frame is nearest to a time; null without a time axis. */
export function columnOfSeconds(seconds: number, { time, columnSize }: Pick<StagePicture, 'time' | 'columnSize'>): number | null {
  if (!time) return null;
  return Math.min(columnSize - 1, Math.max(0, Math.round((seconds - time.startSeconds) / time.stepSeconds)));
}

/** Row with the largest error in a column of cells, and that error; NaN counts as the largest. */
export function worstRow({ heat, rows, columns }: Pick<StagePicture, 'heat' | 'rows' | 'columns'>, cell: number): { row: number; error: number } {
  let worst = { row: 0, error: heat[cell] ?? 0 };
  for (let row = 0; row < rows && !Number.isNaN(worst.error); row++) {
    const error = heat[row * columns + cell]!;
    if (Number.isNaN(error) || error > worst.error) worst = { row, error };
  }
  return worst;
}

/** Page Up and Page Down move by this fraction of all frames. */
const PAGES = 20;

interface Heatmap {
  readonly element: HTMLElement;
  readonly show: (picture: StagePicture, scale: HeatScale, alternative: string) => void;
  /** Marks the frame of the slice. */
  readonly setColumn: (column: number) => void;
}

interface HeatmapOptions {
  readonly paints: PaintSource;
  readonly onColumn: (column: number) => void;
  /** Called to play a frame that was clicked or confirmed with a key. */
  readonly onPlay: (column: number) => void;
}

/** The heatmap of the error over two axes. Keyboard and screen reader use it as a slider along the columns. */
export function createHeatmap(scope: Scope, { paints, onColumn, onPlay }: HeatmapOptions): Heatmap {
  let shown: { readonly picture: StagePicture; readonly domain: HeatDomain } | null = null;
  let bitmap: HTMLCanvasElement | null = null;
  let column = 0;
  let pointer: { readonly x: number; readonly y: number } | null = null;

  const height = (): number => {
    const rows = shown?.picture.rows ?? 1;
    const inner = rows === 1 ? 48 : Math.min(256, Math.max(144, rows * 16));
    return inner + GUTTER.top + GUTTER.bottom;
  };
  const plot = createPlot(scope, paints, 'heatmap', height, (pen, size, colors) => {
    if (!shown) return;
    bitmap ??= paintCells(shown.picture, shown.domain, colors);
    paintHeat(pen, size, shown.picture, bitmap, colors);
    paintMarks();
  });
  paints.onChange(() => {
    bitmap = null;
  });
  const overlay = h('canvas', { class: 'heatmap__overlay', 'aria-hidden': 'true' });
  const readout = h('p', { class: 'heatmap__readout', 'data-testid': 'heat-readout' });
  // Screen readers ignore the content of a slider, but read its description.
  const alternative = h('p', { class: 'visually-hidden', id: 'heatmap-alternative' });
  const slider = h(
    'div',
    {
      class: 'heatmap__stage',
      tabindex: 0,
      role: 'slider',
      'aria-label': text.detail.slider,
      'aria-describedby': alternative.id,
      'aria-valuemin': 0,
      'data-testid': 'heat-slider',
    },
    plot.element,
    overlay,
  );
  const element = h('div', { class: 'heatmap' }, slider, readout, alternative);

  /** Separate from the cells, to repaint only two lines when the pointer moves. */
  function paintMarks(): void {
    const pen = overlay.getContext('2d');
    if (!pen || !shown) return;
    const size = plot.size();
    fitCanvas(pen, size);
    pen.clearRect(0, 0, size.width, size.height);
    const box = boxOf(size);
    markColumn(pen, box, xOfColumn(column, box, shown.picture), paints.get());
    if (pointer && isInside(pointer, box)) markPointer(pen, box, pointer, paints.get());
  }

  const describe = (): void => {
    if (!shown) return;
    const { picture } = shown;
    const box = boxOf(plot.size());
    const isPointed = pointer !== null && isInside(pointer, box);
    const at = isPointed ? columnAt(pointer!.x, box, picture) : column;
    const cell = cellOfIndex(at, picture.columns, picture.columnSize);
    const worst = worstRow(picture, cell);
    const row = isPointed ? rowAt(pointer!.y, box, picture) : worst.row;
    const rowText =
      picture.rowSize > 1
        ? text.detail.range(picture.rowAxis, ...indicesOfCell(row, picture.rows, picture.rowSize))
        : null;
    const error = picture.heat[row * picture.columns + cell] ?? 0;
    const place = text.detail.at(picture.columnAxis, at, secondsOfColumn(at, picture));
    const sentence = `${place} · ${text.detail.cell(rowText, error)}`;
    setText(readout, sentence);
    if (isPointed) return;
    slider.setAttribute('aria-valuemax', String(picture.columnSize - 1));
    slider.setAttribute('aria-valuenow', String(column));
    slider.setAttribute('aria-valuetext', sentence);
  };

  const moveTo = (next: number): void => {
    if (!shown) return;
    const clamped = Math.min(shown.picture.columnSize - 1, Math.max(0, next));
    if (clamped === column) return;
    column = clamped;
    paintMarks();
    describe();
    onColumn(column);
  };

  const place = (event: MouseEvent): { x: number; y: number } => {
    const rectangle = overlay.getBoundingClientRect();
    return { x: event.clientX - rectangle.left, y: event.clientY - rectangle.top };
  };
  scope.on(slider, 'pointermove', (event) => {
    if (event.pointerType !== 'mouse') return;
    pointer = place(event);
    paintMarks();
    describe();
  });
  scope.on(slider, 'pointerleave', () => {
    pointer = null;
    paintMarks();
    describe();
  });
  scope.on(slider, 'click', (event) => {
    if (!shown) return;
    moveTo(columnAt(place(event).x, boxOf(plot.size()), shown.picture));
    onPlay(column);
  });
  scope.on(slider, 'keydown', (event) => {
    if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = shown.picture.columnSize - 1;
    const page = Math.max(1, Math.round(last / PAGES));
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: column - 1,
      ArrowDown: column - 1,
      ArrowRight: column + 1,
      ArrowUp: column + 1,
      PageDown: column - page,
      PageUp: column + page,
      Home: 0,
      End: last,
    };
    const next = moves[event.key];
    if (next !== undefined) moveTo(next);
    else if (event.key === 'Enter' || event.key === ' ') onPlay(column);
    else return;
    event.preventDefault();
  });

  return {
    element,
    show(picture, scale, words) {
      shown = { picture, domain: heatDomain(picture.maxError, scale) };
      bitmap = null;
      column = picture.slice.column;
      plot.describe(words);
      setText(alternative, words);
      plot.repaint();
      describe();
    },
    setColumn(next) {
      if (next === column) return;
      column = next;
      paintMarks();
      describe();
    },
  };
}

const isInside = ({ x, y }: { readonly x: number; readonly y: number }, { left, top, right, bottom }: Box): boolean =>
  x >= left && x < right && y >= top && y < bottom;

function paintCells(picture: StagePicture, domain: HeatDomain, { ramp, notFinite }: PlotPaints): HTMLCanvasElement {
  const { heat, rows, columns } = picture;
  const canvas = h('canvas', { width: columns, height: rows });
  const pixels = heatPixels(heat, rows, columns, domain, ramp, notFinite);
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, columns, rows), 0, 0);
  return canvas;
}

function paintHeat(pen: Pen, size: Size, picture: StagePicture, cells: HTMLCanvasElement, paints: PlotPaints): void {
  const box = boxOf(size);
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  pen.imageSmoothingEnabled = false;
  pen.drawImage(cells, box.left, box.top, width, height);
  const span = timeSpan(picture);
  const below = span
    ? niceTicks(span[0], span[1], width / 36).map((seconds): [number, string] => [
        box.left + ((seconds - span[0]) / (span[1] - span[0])) * width,
        figure(seconds),
      ])
    : indexTicks(picture.columnSize, width / 60).map((index): [number, string] => [xOfColumn(index, box, picture), String(index)]);
  labelBelow(pen, box, size.width, below, paints);
  const beside =
    picture.rowSize === 1
      ? []
      : indexTicks(picture.rowSize, height / 28).map((index): [number, string] => [
          box.bottom - ((index + 0.5) / picture.rowSize) * height,
          shortFigure(index),
        ]);
  labelLeft(pen, box, beside, paints);
  titleAxes(pen, box, size, span ? text.detail.time : picture.columnAxis, picture.rowSize === 1 ? '' : picture.rowAxis, paints);
}

/** A halo in the surface color keeps the line readable on cells of any color. */
function markColumn(pen: Pen, { top, bottom }: Box, x: number, { surface, ink }: PlotPaints): void {
  pen.fillStyle = surface;
  pen.fillRect(Math.round(x) - 1.5, top, 4, bottom - top);
  pen.fillStyle = ink;
  pen.fillRect(Math.round(x) - 0.5, top, 2, bottom - top);
  pen.beginPath();
  pen.moveTo(x - 5, top - 8);
  pen.lineTo(x + 6, top - 8);
  pen.lineTo(x + 0.5, top);
  pen.fill();
}

function markPointer(pen: Pen, { left, top, right, bottom }: Box, { x, y }: { x: number; y: number }, { surface, ink }: PlotPaints): void {
  for (const [color, shift] of [
    [surface, 1],
    [ink, 0],
  ] as const) {
    pen.fillStyle = color;
    pen.fillRect(Math.round(x) + shift, top, 1, bottom - top);
    pen.fillRect(left, Math.round(y) + shift, right - left, 1);
  }
}
