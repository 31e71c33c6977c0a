import type { Turn } from '../timeline/turns';

/** A turn in whole milliseconds from the start of the recording: the finest step of most programs' formats. */
export interface MillisecondTurn {
  readonly startMs: number;
  /** Greater than `startMs`. */
  readonly endMs: number;
  readonly speaker: string;
  readonly confidence: number | null;
}

/**
 * The turns in milliseconds, ordered by start, then end, then as given. A turn of less than half a millisecond can
 * come out without length, which most formats have no place for: it is left out.
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

/** Milliseconds as `00:00:00.000`, the hours with two digits or more. */
export function clock(ms: number, point: ',' | '.'): string {
  const part = (unit: number, count: number) => String(Math.floor(ms / unit) % count).padStart(2, '0');
  const rest = String(ms % 1000).padStart(3, '0');
  return `${part(3_600_000, Infinity)}:${part(60_000, 60)}:${part(1000, 60)}${point}${rest}`;
}

/**
 * A name for a format that has a line for it and no way to escape: line ends, tabs and other control characters become
 * a space, and half a surrogate pair, which UTF-8 cannot hold, the replacement character.
 */
export function oneLine(name: string): string {
  return name
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\p{Cs}/gu, '\uFFFD')
    .trim();
}

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

/**
 * The turns as a label track of Audacity (`.txt`): start, end and name between tabs, one label on each line.
 * The format has no way to escape: a tab or a line end in a name becomes a space.
 * Source: https://manual.audacityteam.org/man/importing_and_exporting_labels.html
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function toAudacityLabels(turns: readonly Turn[]): string {
  return inMilliseconds(turns)
    .map(({ startMs, endMs, speaker }) => `${decimalSeconds(startMs)}\t${decimalSeconds(endMs)}\t${oneLine(speaker)}\n`)
    .join('');
}

/** What a subtitle file shows for a while. */
export interface Caption {
  readonly startMs: number;
  /** Greater than `startMs`. */
  readonly endMs: number;
  /** Display name; null where nobody is known to speak. */
  readonly speaker: string | null;
  /** What is said; empty where only the speaker is known. May have several lines. */
  readonly text: string;
}

/** Captions that show who speaks, one for each turn, sorted by start. Turns that overlap give captions that do. */
export function captionsOfTurns(turns: readonly Turn[]): Caption[] {
  return inMilliseconds(turns).map(({ startMs, endMs, speaker }) => ({ startMs, endMs, speaker, text: '' }));
}

/** The lines of a caption's text, as `oneLine` makes them. An empty one would end the caption, and is left out. */
export function textLines(text: string): string[] {
  return text
    .split(/[\r\n\u2028\u2029]+/)
    .map(oneLine)
    .filter((line) => line !== '');
}

/**
 * The turns as SubRip subtitles (`.srt`) that show the speaker's name.
 *
 * The format has no rule for special characters: a name is written as it is, without its line ends, and with `->` for
 * `-->`, which readers take for a line of times.
 *
 * @param turns times in seconds, `speaker` as it is to be shown
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
 * The turns as WebVTT (`.vtt`), each a cue in the voice of its speaker (`<v Name>`) that shows the name.
 *
 * `&`, `<` and `>` are escaped, in voices too, as https://www.w3.org/TR/webvtt1/#webvtt-cue-voice-span has it; readers
 * take several spaces of a voice for one.
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function toWebVtt(turns: readonly Turn[]): string {
  return writeWebVtt(captionsOfTurns(turns));
}

/** Captions as WebVTT, each in the voice of its speaker. */
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
