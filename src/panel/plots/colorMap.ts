import type { HeatScale } from '../state';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Colors of the error scale, least first, as custom properties. Their lightness is monotone in both themes. */
export const RAMP = ['--heat-1', '--heat-2', '--heat-3', '--heat-4', '--heat-5'] as const;
/** Cells where either side is not finite: another hue, and no error could have it. */
export const NOT_FINITE = '--heat-not-finite';

/** Shades between the stops; more than a screen has. */
const SHADES = 256;
/** Powers of ten that the logarithmic scale covers. */
const DECADES = 5;

/** Red, green, blue of each shade, one after the other. */
export function rampTable(stops: readonly Rgb[]): Uint8ClampedArray {
  const table = new Uint8ClampedArray(SHADES * 3);
  for (let shade = 0; shade < SHADES; shade++) {
    const at = (shade / (SHADES - 1)) * (stops.length - 1);
    const from = Math.min(Math.floor(at), stops.length - 2);
    for (let part = 0; part < 3; part++) {
      const [low, high] = [stops[from]![part]!, stops[from + 1]![part]!];
      table[shade * 3 + part] = low + (high - low) * (at - from);
    }
  }
  return table;
}

/** What the two ends of the color scale stand for. */
export interface HeatDomain {
  readonly scale: HeatScale;
  readonly least: number;
  readonly greatest: number;
}

/** Logarithmic: whole powers of ten, so that a legend can name them. Linear: from zero. */
export function heatDomain(maxError: number, scale: HeatScale): HeatDomain {
  // No error at all is drawn as none, on a scale that says so.
  if (!(maxError > 0)) return { scale: 'linear', least: 0, greatest: 1 };
  if (scale === 'linear') return { scale, least: 0, greatest: maxError };
  const greatest = Math.ceil(Math.log10(maxError) - 1e-9);
  return { scale, least: 10 ** (greatest - DECADES), greatest: 10 ** greatest };
}

/** Where an error lies on the color scale, in [0, 1]; NaN for NaN. */
export function levelOf(error: number, { scale, least, greatest }: HeatDomain): number {
  const level =
    scale === 'linear'
      ? (error - least) / (greatest - least)
      : error <= least
        ? 0
        : Math.log10(error / least) / Math.log10(greatest / least);
  // Not `Math.min(1, …)` alone: a NaN must stay one.
  return Number.isNaN(level) ? NaN : Math.min(1, Math.max(0, level));
}

/** Errors that the legend names, least first. */
export function legendErrors({ scale, least, greatest }: HeatDomain): readonly number[] {
  if (scale === 'linear') return [0, 0.25, 0.5, 0.75, 1].map((part) => least + (greatest - least) * part);
  return Array.from({ length: DECADES + 1 }, (_, index) => greatest * 10 ** (index - DECADES));
}

/**
 * The cells as pixels, red, green, blue and alpha, axes (row, column). Row 0 is at the bottom, as frequencies are drawn.
 *
 * @param heat axes (row, column)
 */
export function heatPixels(
  heat: Float32Array,
  rows: number,
  columns: number,
  domain: HeatDomain,
  table: Uint8ClampedArray,
  notFinite: Rgb,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(rows * columns * 4);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const level = levelOf(heat[row * columns + column]!, domain);
      const at = ((rows - 1 - row) * columns + column) * 4;
      const shade = Math.round(level * (SHADES - 1)) * 3;
      for (let part = 0; part < 3; part++) {
        pixels[at + part] = Number.isNaN(level) ? notFinite[part]! : table[shade + part]!;
      }
      pixels[at + 3] = 255;
    }
  }
  return pixels;
}
