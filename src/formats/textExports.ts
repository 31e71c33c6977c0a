import type { Turn } from '../timeline/turns';

/** A turn in whole milliseconds from the start of the recording, the resolution of most formats. */
interface MillisecondTurn {
  readonly startMs: number;
  /** Greater than `startMs`. */
  readonly endMs: number;
  readonly speaker: string;
  readonly confidence: number | null;
}

/**
 * The turns in milliseconds, sorted by start, then end; ties keep their order. Turns with zero length after rounding are
 * omitted, because most formats do not support them.
 */
export function inMilliseconds(turns: readonly Turn[]): MillisecondTurn[] {
  return turns
    .map(({ startSeconds, endSeconds, speaker, confidence }) => ({
      startMs: toMs(startSeconds),
      endMs: toMs(endSeconds),
      speaker,
      confidence: confidence ?? null,
    }))
    .filter(({ startMs, endMs }) => endMs > startMs)
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
}

export function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** Milliseconds as seconds with three decimals. */
export function decimalSeconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Milliseconds as `00:00:00.000`, with at least two digits for hours. */
function clock(ms: number, point: ',' | '.'): string {
  const part = (unit: number, count: number) => String(Math.floor(ms / unit) % count).padStart(2, '0');
  const rest = String(ms % 1000).padStart(3, '0');
  return `${part(3_600_000, Infinity)}:${part(60_000, 60)}:${part(1000, 60)}${point}${rest}`;
}

/**
 * A name for a format with one line per name and no escaping: line ends, tabs and other control characters become
 * a space; an unpaired surrogate, which UTF-8 cannot encode, becomes the replacement character.
 */
export function oneLine(name: string): string {
  return name
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\p{Cs}/gu, '\uFFFD')
    .trim();
}

/**
 * The turns as a table (`.csv`, RFC 4180): start, end and duration in seconds, speaker, and confidence from 0 to 1 (empty
 * if unknown).
 *
 * @param turns times in seconds, `speaker` is the display name
 */
export function toCsv(turns: readonly Turn[]): string {
  const rows = inMilliseconds(turns).map(({ startMs, endMs, speaker, confidence }) => [
    decimalSeconds(startMs),
    decimalSeconds(endMs),
    decimalSeconds(endMs - startMs),
    speaker,
    // A confidence is not accurate to more than four digits.
    confidence === null ? '' : String(Math.round(confidence * 1e4) / 1e4),
  ]);
  return writeCsv([['start', 'end', 'duration', 'speaker', 'confidence'], ...rows]);
}

/**
 * Spreadsheets run text that starts like this as a formula. A semicolon, a tab or a line end can start a cell too: in locales
 * with a decimal comma, spreadsheets split cells there, even inside quotes.
 * Source: https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA_AT_START = /^(?="*[=+\-@＝＋－＠]|[\t\r])/;
const FORMULA_INSIDE = /[;\t\r\n](?="*[=+\-@＝＋－＠])/g;
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/;

/**
 * Rows of fields as in RFC 4180: CRLF line ends; fields are quoted if necessary, with inner quotes doubled. An apostrophe
 * before a formula makes spreadsheets treat it as text.
 */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map((field) => quoted(asText(field))).join(',')}\r\n`).join('');
}

function asText(field: string): string {
  return PLAIN_NUMBER.test(field) ? field : field.replace(FORMULA_INSIDE, "$&'").replace(FORMULA_AT_START, "'");
}

function quoted(field: string): string {
  // White space around a field is part of it, but some readers drop it if the field is not quoted.
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/**
 * The turns as a label track of Audacity (`.txt`): start, end and name separated by tabs, one label per line.
 * The format has no escaping: a tab or a line end in a name becomes a space.
 * Source: https://manual.audacityteam.org/man/importing_and_exporting_labels.html
 *
 * @param turns times in seconds, `speaker` is the display name
 */
export function toAudacityLabels(turns: readonly Turn[]): string {
  return inMilliseconds(turns)
    .map(({ startMs, endMs, speaker }) => `${decimalSeconds(startMs)}\t${decimalSeconds(endMs)}\t${oneLine(speaker)}\n`)
    .join('');
}

/** A caption of a subtitle file. */
export interface Caption {
  readonly startMs: number;
  /** Greater than `startMs`. */
  readonly endMs: number;
  /** Display name; null if unknown. */
  readonly speaker: string | null;
  /** Text of the caption; empty if only the speaker is known. May have several lines. */
  readonly text: string;
}

/** Captions that show the speaker, one per turn, sorted by start. Overlapping turns produce overlapping captions. */
function captionsOfTurns(turns: readonly Turn[]): Caption[] {
  return inMilliseconds(turns).map(({ startMs, endMs, speaker }) => ({ startMs, endMs, speaker, text: '' }));
}

/** The lines of a caption's text, converted by `oneLine`. Omits empty lines, which would end the caption. */
function textLines(text: string): string[] {
  return text
    .split(/[\r\n\u2028\u2029]+/)
    .map(oneLine)
    .filter((line) => line !== '');
}

/**
 * The turns as SubRip subtitles (`.srt`) that show the speaker's name.
 *
 * The format defines no escaping: a name is written unchanged except that line ends are removed and `-->`, which readers
 * interpret as times, is replaced with `->`.
 *
 * @param turns times in seconds, `speaker` is the display name
 */
export function toSrt(turns: readonly Turn[]): string {
  return writeSrt(captionsOfTurns(turns));
}

/** Captions as SubRip subtitles, numbered from 1, each text after its speaker's name and a colon. */
export function writeSrt(captions: readonly Caption[]): string {
  return captions
    .map((caption, index) => {
      const times = `${clock(caption.startMs, ',')} --> ${clock(caption.endMs, ',')}`;
      return `${index + 1}\n${times}\n${shown(caption).replace(/-{2,}>/g, '->')}\n`;
    })
    .join('\n');
}

function shown({ speaker, text }: Caption): string {
  const lines = textLines(text).join('\n');
  if (speaker === null) return lines;
  return lines === '' ? oneLine(speaker) : `${oneLine(speaker)}: ${lines}`;
}

/**
 * The turns as WebVTT (`.vtt`), each a cue in a voice span of its speaker (`<v Name>`) that shows the name.
 *
 * `&`, `<` and `>` are escaped, also in voices, as specified in https://www.w3.org/TR/webvtt1/#webvtt-cue-voice-span. Readers
 * collapse multiple spaces in a voice.
 *
 * @param turns times in seconds, `speaker` is the display name
 */
export function toWebVtt(turns: readonly Turn[]): string {
  return writeWebVtt(captionsOfTurns(turns));
}

/** Captions as WebVTT, each in a voice span of its speaker. */
export function writeWebVtt(captions: readonly Caption[]): string {
  const cues = captions.map(({ startMs, endMs, speaker, text }) => {
    const said = textLines(text).join('\n');
    const voice = speaker === null ? '' : `<v ${escaped(oneLine(speaker))}>`;
    return `\n${clock(startMs, '.')} --> ${clock(endMs, '.')}\n${voice}${escaped(said || oneLine(speaker ?? ''))}\n`;
  });
  return `WEBVTT\n${cues.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
