import { language, type Language } from './texts/language';

/** Numbers as text, in one place: times look the same in tracks, tables and labels. */

/** Locales for `Intl`: European English, with the day before the month. */
const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE' };

/** Number formats of a language. */
export interface Formats {
  /** `1:02:03`, `2:03`; with `decimals` also `2:03.45`. Hours only if nonzero. */
  readonly clock: (seconds: number, decimals?: number) => string;
  /** A duration, short enough for a label: `8.4 s`, `3 min 20 s`, `1 h 5 min`. */
  readonly span: (seconds: number) => string;
  /** `12 %`; with `decimals` also `12.3 %`. */
  readonly percent: (fraction: number, decimals?: number) => string;
  /** A whole number, in groups of three digits. */
  readonly count: (value: number) => string;
  /** About two significant digits, never in exponent form. */
  readonly ratio: (value: number) => string;
  /** A fixed number of decimals. */
  readonly decimal: (value: number, decimals: number) => string;
  /** `17.2 MB`, in powers of 1000, like file managers. */
  readonly bytes: (bytes: number) => string;
  /** `21 Nov 2026`, from milliseconds since the epoch. */
  readonly date: (milliseconds: number) => string;
  /** A number in JavaScript notation, with the language's decimal separator. */
  readonly localized: (digits: string) => string;
}

export function formatsIn(language: Language): Formats {
  const locale = LOCALES[language];
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const sign = new Intl.NumberFormat(locale).formatToParts(0.5).find(({ type }) => type === 'decimal')?.value ?? '.';

  const localized = (digits: string): string => digits.replace('.', sign);
  const decimal = (value: number, decimals: number): string => localized(value.toFixed(decimals));
  const count = (value: number): string => whole.format(Math.round(value));
  return {
    localized,
    decimal,
    count,
    clock(seconds, decimals = 0) {
      const unit = 10 ** decimals;
      // Rounded once as a whole: 59.99 must not become 0:60.
      const ticks = Math.round(Math.max(0, seconds) * unit);
      const whole = Math.floor(ticks / unit);
      const hours = Math.floor(whole / 3600);
      const minutes = Math.floor((whole % 3600) / 60);
      const rest = String(whole % 60).padStart(2, '0');
      const head = hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}` : String(minutes);
      const tail = decimals > 0 ? `${sign}${String(ticks % unit).padStart(decimals, '0')}` : '';
      return `${head}:${rest}${tail}`;
    },
    span(seconds) {
      if (seconds < 9.95) return `${decimal(seconds, 1)} s`;
      const whole = Math.round(seconds);
      if (whole < 60) return `${whole} s`;
      if (whole < 3600) {
        const rest = whole % 60;
        return `${Math.floor(whole / 60)} min${rest ? ` ${rest} s` : ''}`;
      }
      const minutes = Math.round(whole / 60);
      return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
    },
    percent: (fraction, decimals = 0) => `${decimal(fraction * 100, decimals)} %`,
    ratio(value) {
      if (value >= 10) return count(value);
      if (value >= 1) return decimal(value, 1);
      if (value >= 0.1) return decimal(value, 2);
      return value >= 0.001 ? decimal(value, 3) : `< ${decimal(0.001, 3)}`;
    },
    bytes(bytes) {
      if (bytes < 1000) return `${bytes} B`;
      const [unit, size] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
      return `${localized(String(Number((bytes / size).toPrecision(3))))} ${unit}`;
    },
    date: (milliseconds) => new Date(milliseconds).toLocaleDateString(locale, { dateStyle: 'medium' }),
  };
}

/** In the page's language. */
export const { clock, span, percent, count, ratio, decimal, bytes: bytesText, date, localized } = formatsIn(language);

/** The file name without folder and extension. */
export function stem(fileName: string): string {
  const base = fileName.split(/[\\/]/).pop() ?? fileName;
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(0, dot) : base;
}

/** RTTM fields are separated by whitespace: a name with spaces would shift the fields after it. */
export function rttmUri(fileName: string): string {
  return stem(fileName).trim().replace(/\s+/g, '_') || 'recording';
}

/** The common name of a license: `CC BY 4.0` for the identifier `CC-BY-4.0`. */
export const licenseName = (spdx: string): string =>
  spdx.startsWith('CC-BY') ? spdx.replace(/-/g, ' ').replace(/BY (?=[A-Z])/, 'BY-') : spdx;

/** Pages with the texts of licenses, by SPDX identifier. */
const LICENSE_PAGES: Readonly<Partial<Record<string, string>>> = {
  'CC-BY-4.0': 'https://creativecommons.org/licenses/by/4.0/',
  'OpenMDW-1.1': 'https://github.com/OpenMDW/OpenMDW/blob/main/1.1/LICENSE.OpenMDW-1.1',
};

/** Address of the text of a license; null if it is not known. */
export const licensePage = (spdx: string): string | null => LICENSE_PAGES[spdx] ?? null;
