import type { Turn } from '../timeline/turn';
import { captionsOfTurns, textLines, type Caption } from './captions';
import { clock, oneLine } from './milliseconds';

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
