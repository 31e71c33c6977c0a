import { formatsIn, type Formats } from '../ui-kit/format';
import { language, type Language } from '../ui-kit/texts/language';

// Formats figures in one place to keep them consistent between table, legend and readout.

/** Shown in place of a missing figure. */
export const NONE = '–';
const MINUS = '−';

const signed = (text: string): string => text.replace(/^-/, MINUS);

/** Number formats of a comparison in one language. */
interface Figures {
  /** Four significant digits, in exponent form (`1.234e-6`) if that is shorter. */
  readonly figure: (value: number | null) => string;
  /** For a table column: four significant digits including trailing zeros, to align the rows. */
  readonly measured: (value: number | null) => string;
  /** A single value with the precision of float32: nearly equal values must look different. */
  readonly exactFigure: (value: number) => string;
  /** For axes and legends with little room: `0.01`, `1e-6`. */
  readonly shortFigure: (value: number) => string;
  /** Seven decimals, the resolution of a float32 cosine. */
  readonly cosineText: (cosine: number | null) => string;
  /** Decibels; infinite if there is no difference. */
  readonly decibels: (snrDb: number | null, maxAbs: number | null) => string;
  /** A share as a percentage, rounded down: 100 % means all. */
  readonly shareText: (share: number | null) => string;
  readonly secondsText: (seconds: number) => string;
}

export function figuresIn(language: Language): Figures {
  const { decimal, localized }: Formats = formatsIn(language);
  /** `1.23e-6`, with a typographic minus sign. */
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

/** The formats in the language of the page. */
export const { figure, measured, exactFigure, shortFigure, cosineText, decibels, shareText, secondsText } = figuresIn(language);

/** As {@link figure}, for text next to code: with a decimal point in every language. */
export const { figure: codeFigure } = figuresIn('en');
