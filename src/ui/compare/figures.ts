/** Figures of a comparison as text. One place, so that a number reads the same in table, legend and readout. */

/** Stands for a figure that does not exist. */
export const NONE = '–';
const MINUS = '−';

const signed = (text: string): string => text.replace(/^-/, MINUS);

/** `1.234e-6` as people write it: four significant digits, in exponent form where that is shorter. */
export function figure(value: number | null): string {
  if (value === null) return NONE;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : `${MINUS}∞`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return signed(String(Number(value.toPrecision(4))));
  return exponential(value, 2);
}

/** Of a column of figures: four digits, also where they are zeros, so that as many are read in each row. */
export function measured(value: number | null): string {
  const isPlain = value !== null && value !== 0 && Math.abs(value) >= 1e-3 && Math.abs(value) < 1e3;
  return isPlain ? signed(value.toPrecision(4)) : figure(value);
}

/** A single value, with as many digits as float32 has: two that are almost equal must look different. */
export const exactFigure = (value: number): string =>
  Number.isFinite(value) ? signed(String(Number(value.toPrecision(7)))).replace('e-', `e${MINUS}`) : figure(value);

/** `1.23e-6`, with a true minus sign. */
function exponential(value: number, digits: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(digits).split('e');
  return `${signed(mantissa)}e${signed(exponent.replace('+', ''))}`;
}

/** Of axes and legends, where there is little room: `0.01`, `1e-6`. */
export function shortFigure(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e-2 && size < 1e4) return signed(String(Number(value.toPrecision(3))));
  const text = exponential(value, 1);
  return text.replace(/\.0e/, 'e');
}

/** Seven decimals: what a float32 cosine can tell apart. */
export const cosineText = (cosine: number | null): string => (cosine === null ? NONE : signed(cosine.toFixed(7)));

/** Decibels; infinite where there is no difference at all. */
export function decibels(snrDb: number | null, maxAbs: number | null): string {
  if (snrDb !== null) return signed(snrDb.toFixed(1));
  return maxAbs === 0 ? '∞' : NONE;
}

/** A share as percent. Rounded down, so that 100 % means all. */
export const shareText = (share: number | null): string =>
  share === null ? NONE : `${(Math.floor(share * 1e4) / 100).toFixed(2)} %`;

export const secondsText = (seconds: number): string => `${seconds.toFixed(3)} s`;

/** `channel 12, frame 331`, without the axes that have but one index. */
export function placeText(index: readonly number[], axes: readonly string[], shape: readonly number[]): string {
  const parts = index.flatMap((at, axis) => (shape[axis] === 1 ? [] : [`${axes[axis] ?? `axis ${axis}`} ${at}`]));
  return parts.join(', ') || 'its only value';
}

/** `17.2 MB`, in powers of 1000 as file managers count. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, size] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  return `${Number((bytes / size).toPrecision(3))} ${unit}`;
}
