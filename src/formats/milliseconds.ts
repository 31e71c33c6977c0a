import type { Turn } from '../timeline/turn';

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
