import { formatsIn, type Formats } from '../ui-kit/format';
import { language, type Language } from '../ui-kit/texts/language';

/** Figures of a comparison as text. One place, so that a number reads the same in table, legend and readout. */

/** Stands for a figure that does not exist. */
export const NONE = '–';
const MINUS = '−';

const signed = (text: string): string => text.replace(/^-/, MINUS);

/** How a language writes figures of a comparison. */
export interface Figures {
  /** `1.234e-6` as people write it: four significant digits, in exponent form where that is shorter. */
  readonly figure: (value: number | null) => string;
  /** Of a column of figures: four digits, also where they are zeros, so that as many are read in each row. */
  readonly measured: (value: number | null) => string;
  /** A single value, with as many digits as float32 has: two that are almost equal must look different. */
  readonly exactFigure: (value: number) => string;
  /** Of axes and legends, where there is little room: `0.01`, `1e-6`. */
  readonly shortFigure: (value: number) => string;
  /** Seven decimals: what a float32 cosine can tell apart. */
  readonly cosineText: (cosine: number | null) => string;
  /** Decibels; infinite where there is no difference at all. */
  readonly decibels: (snrDb: number | null, maxAbs: number | null) => string;
  /** A share as percent. Rounded down, so that 100 % means all. */
  readonly shareText: (share: number | null) => string;
  readonly secondsText: (seconds: number) => string;
}

export function figuresIn(language: Language): Figures {
  const { decimal, localized }: Formats = formatsIn(language);
  /** `1.23e-6`, with a true minus sign. */
  const exponential = (value: number, digits: number): string => {
    const [mantissa = '', exponent = ''] = value.toExponential(digits).split('e');
    return localized(`${signed(mantissa)}e${signed(exponent.replace('+', ''))}`);
  };
  const plain = (digits: string): string => localized(signed(digits));
  const figure = (value: number | null): string => {
    if (value === null) return NONE;
    if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : `${MINUS}∞`;
    if (value === 0) return '0';
    const size = Math.abs(value);
    if (size >= 1e-3 && size < 1e5) return plain(String(Number(value.toPrecision(4))));
    return exponential(value, 2);
  };
  return {
    figure,
    measured(value) {
      const isPlain = value !== null && value !== 0 && Math.abs(value) >= 1e-3 && Math.abs(value) < 1e3;
      return isPlain ? plain(value.toPrecision(4)) : figure(value);
    },
    exactFigure: (value) =>
      Number.isFinite(value) ? plain(String(Number(value.toPrecision(7)))).replace('e-', `e${MINUS}`) : figure(value),
    shortFigure(value) {
      if (value === 0) return '0';
      const size = Math.abs(value);
      if (size >= 1e-2 && size < 1e4) return plain(String(Number(value.toPrecision(3))));
      return exponential(value, 1).replace(/[.,]0e/, 'e');
    },
    cosineText: (cosine) => (cosine === null ? NONE : plain(cosine.toFixed(7))),
    decibels(snrDb, maxAbs) {
      if (snrDb !== null) return plain(snrDb.toFixed(1));
      return maxAbs === 0 ? '∞' : NONE;
    },
    shareText: (share) => (share === null ? NONE : `${decimal(Math.floor(share * 1e4) / 100, 2)} %`),
    secondsText: (seconds) => `${decimal(seconds, 3)} s`,
  };
}

/** In the page's language. */
export const { figure, measured, exactFigure, shortFigure, cosineText, decibels, shareText, secondsText } = figuresIn(language);

/** As {@link figure}, for what stands next to code: with the decimal sign that code has. */
export const { figure: codeFigure } = figuresIn('en');
