import type { Turn } from '../timeline/turns';
import { ownValue } from '../util/values';
import { distinctNames } from './lines';
import { decimalSeconds, inMilliseconds, oneLine, toMs } from './textExports';

/** A segment of a tier, in milliseconds from the start of the recording. */
interface TierInterval {
  readonly startMs: number;
  readonly endMs: number;
}

/** The intervals of one speaker: a separate row in Praat and in ELAN. */
interface Tier {
  readonly name: string;
  /** Sorted, without overlap. */
  readonly intervals: readonly TierInterval[];
}

/**
 * One tier per speaker, in the order of their first turn, because the intervals of a tier cannot overlap.
 *
 * Speakers with the same name share a tier, because programs identify tiers by name. Their overlapping turns are joined into one
 * interval; turns that only touch stay separate. Names that differ only in characters that the formats do not support get
 * a number.
 *
 * @param turns times in seconds, `speaker` is the display name
 */
function tiersOf(turns: readonly Turn[]): Tier[] {
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

/** An interval of a Praat tier; empty text means silence. */
interface TextInterval extends TierInterval {
  readonly text: string;
}

/**
 * The turns as a Praat TextGrid in the long text format (`.TextGrid`, UTF-8): one interval tier per speaker, whose
 * intervals cover the whole recording and contain the speaker's name, or no text if the speaker is silent.
 * Source: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
 *
 * @param turns times in seconds, `speaker` is the display name
 * @param durationSeconds length of the recording. The grid is longer if turns end later, and at least a millisecond long
 */
export function toTextGrid(turns: readonly Turn[], durationSeconds: number): string {
  const tiers = tiersOf(turns);
  const ends = tiers.flatMap(({ intervals }) => intervals.map(({ endMs }) => endMs));
  // Praat 6.1 opens a grid of zero length, but rejects every boundary in it.
  const endMs = ends.reduce((latest, end) => Math.max(latest, end), Math.max(1, toMs(durationSeconds)));
  // Praat requires at least one tier.
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

/** Fills the gaps between intervals, so that each interval starts at the end of the previous one. */
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

/** Properties of an ELAN document besides its turns. */
export interface EafOptions {
  /** Name of the recording. ELAN searches for it in the folder of the document. */
  readonly mediaFile: string;
  /** When the document was created. */
  readonly date: Date;
}

const LINGUISTIC_TYPE = 'default-lt';

/** ELAN's media types by file name extension; all others are `audio/*`. */
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
 * The turns as an ELAN document (`.eaf`, format 3.0): one tier per speaker, in milliseconds, whose annotations contain
 * the speaker's name. Line ends in a name become spaces, and characters that XML does not support are omitted.
 * Source: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf
 *
 * @param turns times in seconds, `speaker` is the display name
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
  // ELAN assumes that the slots are in time order.
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

/** Escapes an attribute value or the text of an element. */
function escaped(text: string): string {
  return text
    .replace(/[\uFFFE\uFFFF]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
