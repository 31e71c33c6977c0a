import type { Turn } from '../timeline/turns';
import { ownValue } from '../util/values';
import { distinctNames } from './lines';
import { decimalSeconds, inMilliseconds, oneLine, toMs } from './textExports';

/** A segment of a tier, in milliseconds from the start of the recording. */
export interface TierInterval {
  readonly startMs: number;
  readonly endMs: number;
}

/** What one speaker says: a line of its own in Praat and in ELAN. */
export interface Tier {
  readonly name: string;
  /** Sorted, and none reaches into the next. */
  readonly intervals: readonly TierInterval[];
}

/**
 * A tier for each speaker, in the order in which they begin, because the intervals of one tier cannot overlap.
 *
 * Two speakers of the same name share a tier: programs find tiers by name. Where both talk, their turns become one
 * interval; turns that only touch stay apart. Names that differ only in characters that the formats cannot hold get
 * a number.
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function tiersOf(turns: readonly Turn[]): Tier[] {
  const tiers = new Map<string, { startMs: number; endMs: number }[]>();
  const ordered = inMilliseconds(turns);
  const names = distinctNames(ordered.map(({ speaker }) => speaker), (speaker) => oneLine(speaker) || '<NA>');
  for (const { startMs, endMs, speaker } of ordered) {
    const name = names.get(speaker)!;
    const intervals = tiers.get(name) ?? [];
    tiers.set(name, intervals);
    const last = intervals.at(-1);
    if (last && startMs < last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else intervals.push({ startMs, endMs });
  }
  return Array.from(tiers, ([name, intervals]) => ({ name, intervals }));
}

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

/** What an ELAN document says besides its turns. */
export interface EafOptions {
  /** Name of the recording, which ELAN looks for beside the document. */
  readonly mediaFile: string;
  /** When the document was made. */
  readonly date: Date;
}

const LINGUISTIC_TYPE = 'default-lt';

/** ELAN's kinds of media, by the ends of file names; the rest is `audio/*`. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/x-wav',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  mpg: 'video/mpeg',
  mpeg: 'video/mpeg',
  webm: 'video/*',
  mkv: 'video/*',
};

/**
 * The turns as an ELAN document (`.eaf`, format 3.0): a tier for each speaker, in milliseconds, whose annotations hold
 * the speaker's name. A name's line ends become spaces, and characters that XML has no place for are left out.
 * Source: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf
 *
 * @param turns times in seconds, `speaker` as it is to be shown
 */
export function toEaf(turns: readonly Turn[], { mediaFile, date }: EafOptions): string {
  const tiers = tiersOf(turns);
  const slots: { readonly ms: number; id: string }[] = [];
  const slotAt = (ms: number) => {
    const slot = { ms, id: '' };
    slots.push(slot);
    return slot;
  };
  const placed = tiers.map(({ name, intervals }) => ({
    name: escaped(name),
    annotations: intervals.map(({ startMs, endMs }) => ({ start: slotAt(startMs), end: slotAt(endMs) })),
  }));
  // ELAN takes the order of the slots for the order in time.
  slots.sort((a, b) => a.ms - b.ms).forEach((slot, index) => (slot.id = `ts${index + 1}`));
  let lastAnnotation = 0;
  const tierElements = placed.map(({ name, annotations }) => [
    `    <TIER LINGUISTIC_TYPE_REF="${LINGUISTIC_TYPE}" PARTICIPANT="${name}" TIER_ID="${name}">`,
    ...annotations.flatMap(({ start, end }) => [
      '        <ANNOTATION>',
      `            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++lastAnnotation}" TIME_SLOT_REF1="${start.id}" TIME_SLOT_REF2="${end.id}">`,
      `                <ANNOTATION_VALUE>${name}</ANNOTATION_VALUE>`,
      '            </ALIGNABLE_ANNOTATION>',
      '        </ANNOTATION>',
    ]),
    '    </TIER>',
  ]);
  const media = escaped(oneLine(mediaFile));
  const type = ownValue(MEDIA_TYPES, /\.([^.]+)$/.exec(mediaFile)?.[1]?.toLowerCase() ?? '') ?? 'audio/*';
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<ANNOTATION_DOCUMENT AUTHOR="" DATE="${date.toISOString()}" FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">`,
    '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
    `        <MEDIA_DESCRIPTOR MEDIA_URL="file:///${media}" MIME_TYPE="${type}" RELATIVE_MEDIA_URL="./${media}"/>`,
    `        <PROPERTY NAME="lastUsedAnnotationId">${lastAnnotation}</PROPERTY>`,
    '    </HEADER>',
    '    <TIME_ORDER>',
    ...slots.map(({ id, ms }) => `        <TIME_SLOT TIME_SLOT_ID="${id}" TIME_VALUE="${ms}"/>`),
    '    </TIME_ORDER>',
    ...tierElements.flat(),
    `    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="${LINGUISTIC_TYPE}" TIME_ALIGNABLE="true"/>`,
    '</ANNOTATION_DOCUMENT>',
    '',
  ].join('\n');
}

/** For an attribute's value or an element's text. */
function escaped(text: string): string {
  return text
    .replace(/[\uFFFE\uFFFF]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
