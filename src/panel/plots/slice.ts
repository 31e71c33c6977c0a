import type { Scope } from '../../ui-kit/scope';
import { h, setText } from '../../ui-kit/dom';
import { figure, shortFigure } from '../figures';
import { text } from '../text';
import {
  type Box,
  boxOf,
  createPlot,
  indexTicks,
  labelBelow,
  labelLeft,
  niceTicks,
  type PaintSource,
  type Pen,
  type PlotPaints,
  titleAxes,
} from './plot';

const HEIGHT = 208;
/** Below this number of values, each is drawn as a dot: a line between classes has no meaning. */
const FEW = 32;

/** Both sides of a comparison along one axis. */
export interface SliceData {
  readonly left: Float32Array;
  readonly right: Float32Array;
  readonly leftName: string;
  readonly rightName: string;
  readonly axis: string;
  /** Number of values along the axis, before the reduction. */
  readonly axisSize: number;
}

interface SlicePlot {
  readonly element: HTMLElement;
  readonly show: (slice: SliceData) => void;
}

/** Minimum and maximum finite value of all sides, with a margin; never empty. */
export function rangeOf(...sides: readonly Float32Array[]): readonly [number, number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (const side of sides) {
    for (const value of side) {
      if (!Number.isFinite(value)) continue;
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
    }
  }
  if (least > greatest) return [-1, 1];
  const room = (greatest - least) * 0.05 || Math.abs(greatest) * 0.1 || 1;
  return [least - room, greatest + room];
}

/** Maximum finite difference. */
const apart = ({ left, right }: SliceData): number =>
  left.reduce((most, value, index) => {
    const difference = Math.abs(value - right[index]!);
    return difference > most && Number.isFinite(difference) ? difference : most;
  }, 0);

export function createSlice(scope: Scope, paints: PaintSource): SlicePlot {
  let shown: SliceData | null = null;
  let pointed: number | null = null;
  const xOf = ({ left, right }: Box, index: number, length: number): number => left + ((index + 0.5) / length) * (right - left);

  const plot = createPlot(
    scope,
    paints,
    'slice',
    () => HEIGHT,
    (pen, size, colors) => {
      if (!shown) return;
      const slice = shown;
      const box = boxOf(size);
      const { length } = slice.left;
      const [least, greatest] = rangeOf(slice.left, slice.right);
      const yOf = (value: number): number => box.bottom - ((value - least) / (greatest - least)) * (box.bottom - box.top);
      pen.fillStyle = colors.rule;
      pen.fillRect(box.left, box.bottom, box.right - box.left, 1);
      if (least < 0 && greatest > 0) pen.fillRect(box.left, Math.round(yOf(0)), box.right - box.left, 1);
      labelLeft(pen, box, niceTicks(least, greatest, 5).map((value) => [yOf(value), shortFigure(value)]), colors);
      const ticks = indexTicks(slice.axisSize, (box.right - box.left) / 60);
      labelBelow(pen, box, size.width, ticks.map((index) => [xOf(box, index, slice.axisSize), String(index)]), colors);
      titleAxes(pen, box, size, slice.axis, '', colors);
      const point = (side: Float32Array, index: number): readonly [number, number] => [xOf(box, index, length), yOf(side[index]!)];
      // Golden first, with a wide line: a matching computed line lies inside it.
      paintLine(pen, slice.left, point, { color: colors.muted, width: 4, alpha: 0.55 });
      paintLine(pen, slice.right, point, { color: colors.accent, width: 1.5, alpha: 1 });
      if (pointed !== null) {
        pen.fillStyle = colors.ink;
        pen.fillRect(Math.round(xOf(box, pointed, length)), box.top, 1, box.bottom - box.top);
      }
    },
  );
  const leftKey = h('span', {});
  const rightKey = h('span', {});
  const readout = h('span', { class: 'slice__readout' });
  const key = h('p', { class: 'slice__key' }, h('i', { class: 'slice__left', 'aria-hidden': 'true' }), leftKey, h('i', { class: 'slice__right', 'aria-hidden': 'true' }), rightKey, readout);

  const point = (index: number | null): void => {
    pointed = index;
    const values = shown && index !== null ? [shown.left[index]!, shown.right[index]!] : null;
    const original = shown && index !== null ? Math.floor((index * shown.axisSize) / shown.left.length) : 0;
    setText(readout, values && shown ? `${shown.axis} ${original}: ${values.map(figure).join(' / ')}` : '');
    plot.repaint();
  };
  scope.on(plot.element, 'pointermove', (event) => {
    if (!shown) return;
    const box = boxOf(plot.size());
    const part = (event.clientX - plot.element.getBoundingClientRect().left - box.left) / (box.right - box.left);
    point(part >= 0 && part < 1 ? Math.floor(part * shown.left.length) : null);
  });
  scope.on(plot.element, 'pointerleave', () => {
    point(null);
  });

  return {
    element: h('div', { class: 'slice' }, plot.element, key),
    show(slice) {
      shown = slice;
      point(null);
      setText(leftKey, slice.leftName);
      setText(rightKey, slice.rightName);
      plot.describe(text.detail.sliceAlternative(slice.axis, slice.axisSize, apart(slice)));
    },
  };
}

interface Stroke {
  readonly color: PlotPaints['ink'];
  readonly width: number;
  readonly alpha: number;
}

function paintLine(
  pen: Pen,
  side: Float32Array,
  point: (side: Float32Array, index: number) => readonly [number, number],
  { color, width, alpha }: Stroke,
): void {
  pen.globalAlpha = alpha;
  pen.strokeStyle = color;
  pen.fillStyle = color;
  pen.lineWidth = width;
  pen.lineJoin = 'round';
  pen.beginPath();
  let isDrawing = false;
  side.forEach((value, index) => {
    // The line has gaps at non-finite values.
    if (!Number.isFinite(value)) {
      isDrawing = false;
      return;
    }
    const [x, y] = point(side, index);
    if (isDrawing) pen.lineTo(x, y);
    else pen.moveTo(x, y);
    isDrawing = true;
  });
  pen.stroke();
  if (side.length <= FEW) {
    side.forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      pen.beginPath();
      pen.arc(...point(side, index), width + 1, 0, 2 * Math.PI);
      pen.fill();
    });
  }
  pen.globalAlpha = 1;
}
