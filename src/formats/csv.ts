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

/**
 * Spreadsheets run what begins like this as a formula. A semicolon, a tab or a line end can start a cell too: in locales
 * with a decimal comma, spreadsheets split cells there, even inside quotes.
 * Source: https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA_AT_START = /^(?="*[=+\-@＝＋－＠]|[\t\r])/;
const FORMULA_INSIDE = /[;\t\r\n](?="*[=+\-@＝＋－＠])/g;
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/;

/**
 * Rows of fields as in RFC 4180: CRLF line ends; quotes around a field that needs them, doubled inside it. An apostrophe
 * before what a spreadsheet would run as a formula makes it text.
 */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map((field) => quoted(asText(field))).join(',')}\r\n`).join('');
}

function asText(field: string): string {
  return PLAIN_NUMBER.test(field) ? field : field.replace(FORMULA_INSIDE, "$&'").replace(FORMULA_AT_START, "'");
}

function quoted(field: string): string {
  // White space around a field belongs to it, but some readers drop it where there are no quotes.
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
