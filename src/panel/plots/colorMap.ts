import type { HeatScale } from '../state';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Colors of the error scale, lowest first, as custom properties. Their lightness is monotone in both themes. */
export const RAMP = ['--heat-1', '--heat-2', '--heat-3', '--heat-4', '--heat-5'] as const;
/** Color of cells in which either side is not finite: a hue outside of the error scale. */
export const NOT_FINITE = '--heat-not-finite';

/** Number of shades, more than a screen can display. */
const SHADES = 256;
/** Number of powers of ten on the logarithmic scale. */
const DECADES = 5;

/** Red, green, blue of each shade, in sequence. */
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

/** The values at the two ends of the color scale. */
export interface HeatDomain {
  readonly scale: HeatScale;
  readonly least: number;
  readonly greatest: number;
}

/** Logarithmic: whole powers of ten, which a legend can label. Linear: from zero. */
export function heatDomain(maxError: number, scale: HeatScale): HeatDomain {
  // Without errors, uses a scale on which zero is the lowest color.
  if (!(maxError > 0)) return { scale: 'linear', least: 0, greatest: 1 };
  if (scale === 'linear') return { scale, least: 0, greatest: maxError };
  const greatest = Math.ceil(Math.log10(maxError) - 1e-9);
  return { scale, least: 10 ** (greatest - DECADES), greatest: 10 ** greatest };
}

/** The position of an error on the color scale, in [0, 1]; NaN for NaN. */
export function levelOf(error: number, { scale, least, greatest }: HeatDomain): number {
  const level =
    scale === 'linear'
      ? (error - least) / (greatest - least)
      : error <= least
        ? 0
        : Math.log10(error / least) / Math.log10(greatest / least);
  // NaN must be preserved.
  return Number.isNaN(level) ? NaN : Math.min(1, Math.max(0, level));
}

/** Errors labeled in the legend, lowest first. */
export function legendErrors({ scale, least, greatest }: HeatDomain): readonly number[] {
  if (scale === 'linear') return [0, 0.25, 0.5, 0.75, 1].map((part) => least + (greatest - least) * part);
  return Array.from({ length: DECADES + 1 }, (_, index) => greatest * 10 ** (index - DECADES));
}

/**
 * The cells as RGBA pixels, axes (row, column). Row 0 is at the bottom, as in a spectrogram.
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
