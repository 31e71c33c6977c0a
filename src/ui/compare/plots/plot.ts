import type { Scope } from '../../../util/scope';
import { fitCanvas } from '../../canvas';
import { h } from '../../dom';
import { onResize } from '../../onResize';
import type { Box } from './axes';
import type { PaintSource, PlotPaints } from './paints';

/** Size in CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A canvas that is as wide as its place, and is painted anew when that, the theme or its content changes. */
export interface Plot {
  readonly element: HTMLElement;
  readonly size: () => Size;
  readonly repaint: () => void;
  /** What the canvas shows, for who does not see it. */
  readonly describe: (alternative: string) => void;
}

export type Pen = CanvasRenderingContext2D;

/** `height`: of the canvas, for its width; asked again before each painting. */
export function createPlot(
  scope: Scope,
  paints: PaintSource,
  testId: string,
  height: () => number,
  paint: (pen: Pen, size: Size, paints: PlotPaints) => void,
): Plot {
  const canvas = h('canvas', { role: 'img', 'data-testid': testId });
  const element = h('div', { class: 'plot' }, canvas);
  let width = 0;
  let frame = 0;
  const size = (): Size => ({ width, height: height() });
  const now = (): void => {
    cancelAnimationFrame(frame);
    frame = 0;
    const pen = canvas.getContext('2d');
    if (width === 0 || !pen) return;
    fitCanvas(pen, size());
    pen.clearRect(0, 0, width, height());
    paint(pen, size(), paints.get());
  };
  const repaint = (): void => {
    if (frame === 0) frame = requestAnimationFrame(now);
  };
  onResize(scope, element, () => {
    width = element.clientWidth;
    now();
  });
  scope.add(() => {
    cancelAnimationFrame(frame);
  });
  // At once: a printer does not wait for the next frame.
  paints.onChange(now);
  // Moving to a screen of another density changes no size in CSS pixels, but the window hears of it.
  scope.on(window, 'resize', repaint);
  return {
    element,
    size,
    repaint,
    describe(alternative) {
      canvas.setAttribute('aria-label', alternative);
    },
  };
}

/** Text of an axis below the box, each at its pixel; those that would leave the canvas are moved inside. */
export function labelBelow(pen: Pen, { bottom }: Box, width: number, labels: readonly (readonly [x: number, label: string])[], paints: PlotPaints): void {
  pen.font = paints.font;
  pen.textBaseline = 'top';
  pen.textAlign = 'left';
  let end = -Infinity;
  for (const [x, label] of labels) {
    pen.fillStyle = paints.rule;
    pen.fillRect(Math.round(x), bottom, 1, 4);
    const half = pen.measureText(label).width / 2;
    const left = Math.min(Math.max(0, x - half), width - 2 * half);
    if (left < end + 6) continue;
    pen.fillStyle = paints.muted;
    pen.fillText(label, left, bottom + 6);
    end = left + 2 * half;
  }
}

/** Text of an axis left of the box, each at its pixel. */
export function labelLeft(pen: Pen, { left, top, bottom }: Box, labels: readonly (readonly [y: number, label: string])[], paints: PlotPaints): void {
  pen.font = paints.font;
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  for (const [y, label] of labels) {
    pen.fillStyle = paints.rule;
    pen.fillRect(left - 4, Math.round(y), 4, 1);
    pen.fillStyle = paints.muted;
    pen.fillText(label, left - 7, Math.min(Math.max(y, top + 5), bottom - 4));
  }
}

/** Names of the axes: below at the right end, and along the left side. */
export function titleAxes(pen: Pen, box: Box, size: Size, below: string, beside: string, paints: PlotPaints): void {
  pen.font = paints.font;
  pen.fillStyle = paints.muted;
  pen.textBaseline = 'bottom';
  pen.textAlign = 'right';
  pen.fillText(below, box.right, size.height);
  pen.save();
  pen.translate(0, (box.top + box.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textBaseline = 'top';
  pen.textAlign = 'center';
  pen.fillText(beside, 0, 0);
  pen.restore();
}
