import type { Turn } from '../timeline/turn';
import { decimalSeconds, inMilliseconds } from './milliseconds';

/**
 * The turns as a table (`.csv`, RFC 4180): start, end and duration in seconds, speaker, confidence of 0 to 1, which is
 * empty where none is known.
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function toCsv(turns: readonly Turn[]): string {
  const rows = inMilliseconds(turns).map(({ startMs, endMs, speaker, confidence }) => [
    decimalSeconds(startMs),
    decimalSeconds(endMs),
    decimalSeconds(endMs - startMs),
    speaker,
    // Four digits are more than such a number means.
    confidence === null ? '' : String(Math.round(confidence * 1e4) / 1e4),
  ]);
  return writeCsv([['start', 'end', 'duration', 'speaker', 'confidence'], ...rows]);
}

/** Rows of fields as RFC 4180 has them: line ends of two characters; quotes where a field needs them, doubled in it. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

function quoted(field: string): string {
  // White space around a field belongs to it, but some readers drop it where there are no quotes.
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
