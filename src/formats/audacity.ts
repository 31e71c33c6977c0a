import type { Turn } from '../timeline/turn';
import { decimalSeconds, inMilliseconds, oneLine } from './milliseconds';

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
