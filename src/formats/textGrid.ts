import type { Turn } from '../timeline/turn';
import { decimalSeconds, toMs } from './milliseconds';
import { tiersOf, type Tier, type TierInterval } from './tiers';

/** What Praat shows of an interval: nothing is said in one without text. */
interface TextInterval extends TierInterval {
  readonly text: string;
}

/**
 * The turns as a Praat TextGrid in the long text format (`.TextGrid`, UTF-8): an interval tier for each speaker, whose
 * intervals hold the speaker's name, and no text where the speaker is silent, over the whole recording.
 * Source: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 * @param durationSeconds length of the recording. Turns that end later make the grid longer; it has a millisecond at least
 */
export function toTextGrid(turns: readonly Turn[], durationSeconds: number): string {
  const tiers = tiersOf(turns);
  const ends = tiers.flatMap(({ intervals }) => intervals.map(({ endMs }) => endMs));
  // Praat 6.1 opens a grid without length, but refuses every boundary in it.
  const endMs = ends.reduce((latest, end) => Math.max(latest, end), Math.max(1, toMs(durationSeconds)));
  // Praat has no grid without a tier.
  const written = tiers.length > 0 ? tiers : [{ name: 'speech', intervals: [] }];
  return [
    'File type = "ooTextFile"',
    'Object class = "TextGrid"',
    '',
    'xmin = 0 ',
    `xmax = ${decimalSeconds(endMs)} `,
    'tiers? <exists> ',
    `size = ${written.length} `,
    'item []: ',
    ...written.flatMap((tier, index) => tierLines(tier, index + 1, endMs)),
    '',
  ].join('\n');
}

function tierLines({ name, intervals }: Tier, number: number, endMs: number): string[] {
  const filled = withSilence(intervals, name, endMs);
  return [
    `    item [${number}]:`,
    '        class = "IntervalTier" ',
    `        name = ${quoted(name)} `,
    '        xmin = 0 ',
    `        xmax = ${decimalSeconds(endMs)} `,
    `        intervals: size = ${filled.length} `,
    ...filled.flatMap((interval, index) => [
      `        intervals [${index + 1}]:`,
      `            xmin = ${decimalSeconds(interval.startMs)} `,
      `            xmax = ${decimalSeconds(interval.endMs)} `,
      `            text = ${quoted(interval.text)} `,
    ]),
  ];
}

/** The intervals with those between them, so that each begins where the one before ends. */
function withSilence(intervals: readonly TierInterval[], text: string, endMs: number): TextInterval[] {
  const filled: TextInterval[] = [];
  let reached = 0;
  for (const interval of intervals) {
    if (interval.startMs > reached) filled.push({ startMs: reached, endMs: interval.startMs, text: '' });
    filled.push({ ...interval, text });
    reached = interval.endMs;
  }
  if (reached < endMs) filled.push({ startMs: reached, endMs, text: '' });
  return filled;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
