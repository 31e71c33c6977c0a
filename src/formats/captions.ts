import type { Turn } from '../timeline/turn';
import { inMilliseconds, oneLine } from './milliseconds';

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
