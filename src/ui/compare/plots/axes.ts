/** Where a plot's values lie on its canvas, in CSS pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Space for the labels beside the values. Left and right are the same in every plot, so that time axes line up. */
export const GUTTER = { left: 52, right: 12, top: 10, bottom: 32 } as const;

/** The values' part of a canvas of this size. */
export function boxOf({ width, height }: { readonly width: number; readonly height: number }, bottom: number = GUTTER.bottom): Box {
  return {
    left: GUTTER.left,
    top: GUTTER.top,
    right: Math.max(GUTTER.left + 1, width - GUTTER.right),
    bottom: Math.max(GUTTER.top + 1, height - bottom),
  };
}

/** At most `most` round numbers (1, 2 or 5 by a power of ten apart) in [from, to]. */
export function niceTicks(from: number, to: number, most: number): readonly number[] {
  const span = to - from;
  if (!(span > 0) || most < 1) return Number.isFinite(from) ? [from] : [];
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const ticks: number[] = [];
  // Counted, not added up: 0.1 + 0.1 + 0.1 is not 0.3.
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + step * 1e-9; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

/** As {@link niceTicks}, but only whole numbers: of indices. */
export const indexTicks = (size: number, most: number): readonly number[] =>
  niceTicks(0, size - 1, most).filter((tick) => Number.isInteger(tick));
