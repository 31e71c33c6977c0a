import type { Turn } from '../timeline/turn';
import { captionsOfTurns, textLines, type Caption } from './captions';
import { clock, oneLine } from './milliseconds';

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
