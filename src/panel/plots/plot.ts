import { fitCanvas, h, onResize, resolvedColor } from '../../ui-kit/dom';
import type { ThemeControl } from '../../ui-kit/pageFrame';
import type { Scope } from '../../ui-kit/scope';
import { NOT_FINITE, RAMP, rampTable, type Rgb } from './colorMap';

/** The area of a plot's values on its canvas, in CSS pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Space for labels around the values. Left and right are the same in every plot, to align the time axes. */
export const GUTTER = { left: 52, right: 12, top: 10, bottom: 32 } as const;

/** The area of the values on a canvas of this size. */
export function boxOf({ width, height }: { readonly width: number; readonly height: number }, bottom: number = GUTTER.bottom): Box {
  return {
    left: GUTTER.left,
    top: GUTTER.top,
    right: Math.max(GUTTER.left + 1, width - GUTTER.right),
    bottom: Math.max(GUTTER.top + 1, height - bottom),
  };
}

/** At most `most` round numbers in [from, to], spaced by 1, 2 or 5 times a power of ten. */
export function niceTicks(from: number, to: number, most: number): readonly number[] {
  const span = to - from;
  if (!(span > 0) || most < 1) return Number.isFinite(from) ? [from] : [];
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const ticks: number[] = [];
  // Multiplied instead of summed up: 0.1 + 0.1 + 0.1 is not 0.3.
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + step * 1e-9; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

/** As {@link niceTicks}, but only whole numbers, for indices. */
export const indexTicks = (size: number, most: number): readonly number[] =>
  niceTicks(0, size - 1, most).filter((tick) => Number.isInteger(tick));

/** Colors of the plots in the current theme. */
export interface PlotPaints {
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly track: string;
  readonly surface: string;
  readonly accent: string;
  readonly font: string;
  readonly ramp: Uint8ClampedArray;
  readonly notFinite: Rgb;
}

/** Provides the colors, updated whenever they change. */
export interface PaintSource {
  /** Must be in the page: colors are resolved at this element. */
  readonly probe: HTMLElement;
  readonly get: () => PlotPaints;
  readonly onChange: (listener: () => void) => void;
}

/** The colors follow the theme and change for printing, which always uses the light theme. */
export function createPaints(scope: Scope, theme: ThemeControl): PaintSource {
  const probe = h('span', { class: 'plot__probe', hidden: true });
  let paints: PlotPaints | null = null;
  const listeners: (() => void)[] = [];
  const changed = (): void => {
    paints = null;
    for (const listener of listeners) listener();
  };
  theme.onChange(scope, changed);
  scope.on(matchMedia('print'), 'change', changed);
  return {
    probe,
    get: () => (paints ??= readPaints(probe)),
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

function readPaints(probe: HTMLElement): PlotPaints {
  const color = (variable: string): string => resolvedColor(probe, variable);
  return {
    ink: color('--ink'),
    muted: color('--ink-muted'),
    rule: color('--rule'),
    track: color('--track'),
    surface: color('--surface'),
    accent: color('--accent'),
    font: `11px ${getComputedStyle(probe).fontFamily}`,
    ramp: rampTable(RAMP.map((name) => rgbOf(color(name)))),
    notFinite: rgbOf(color(NOT_FINITE)),
  };
}

/** Parses `rgb(1, 2, 3)`, the form of resolved colors. */
function rgbOf(color: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

/** Size in CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A canvas as wide as its container, repainted when its size, the theme or its content changes. */
interface Plot {
  readonly element: HTMLElement;
  readonly size: () => Size;
  readonly repaint: () => void;
  /** Sets the text alternative of the canvas. */
  readonly describe: (alternative: string) => void;
}

export type Pen = CanvasRenderingContext2D;

/** `height`: height of the canvas for a width; called before each painting. */
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
  // Paint at once: printing does not wait for the next frame.
  paints.onChange(now);
  // Moving to a screen with a different density does not change the size in CSS pixels, but fires a resize event.
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

/** Axis labels below the box, each at its pixel. Labels that would leave the canvas are moved inside. */
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

/** Axis labels left of the box, each at its pixel. */
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

/** Axis titles: below at the right end, and along the left side. */
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
