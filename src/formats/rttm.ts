import type { Turn } from '../timeline/turns';
import type { VoxlaneError } from '../util/errors';
import { distinctNames, isDecimal, readRecords, secondsAt, type TextRecord, unreadable } from './lines';

const EXPECTED = 'SPEAKER <uri> <channel> <start seconds> <duration seconds> <NA> <NA> <speaker> <NA> <NA>';

/** The record types of NIST's RTTM, of which only `SPEAKER` has turns. */
const RECORD_TYPES: ReadonlySet<string> = new Set(
  'SPEAKER SPKR-INFO SEGMENT NOSCORE NO_RT_METADATA LEXEME NON-LEX NON-SPEECH FILLER EDIT IP SU CB A/P'.split(' '),
);
const NO_VALUE = '<NA>';
/** What some programs write instead. */
const NO_VALUES: ReadonlySet<string> = new Set([NO_VALUE, 'NA', '-', 'nan', 'None', 'null']);
/** NIST's format has ten fields; older versions of it, and some programs, leave out the last one or two. */
const MIN_FIELDS = 8;
const MAX_FIELDS = 10;
/** Index of the field after the times, if no name has a space. */
const AFTER_TIMES = 5;

/** Shorter turns do not exist for pyannote.core: `SEGMENT_PRECISION` in its `segment.py`. */
const SHORTEST_SECONDS = 1e-6;

/**
 * The turns as RTTM text, byte for byte as pyannote.core 6.1 writes them (`Annotation.to_rttm`).
 *
 * Turns are ordered by start, then end, then as given. A turn of at most one microsecond is left out. White space
 * in `uri` or in a label would shift the fields of the line; pyannote refuses it, here it becomes `_`. Labels that would
 * become equal get a number: `A B` and `A_B` are written as `A_B_2` and `A_B`.
 *
 * @param turns times in seconds
 * @param uri name of the recording; an empty one becomes `<NA>`
 */
export function toRttm(turns: readonly Turn[], uri: string): string {
  const name = withoutSpace(uri);
  const written = turns
    .filter((turn) => turn.endSeconds - turn.startSeconds > SHORTEST_SECONDS)
    .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
  const labels = distinctNames(written.map(({ speaker }) => speaker), withoutSpace);
  return written
    .map((turn) => {
      const start = toMilliseconds(turn.startSeconds);
      const duration = toMilliseconds(turn.endSeconds - turn.startSeconds);
      return `SPEAKER ${name} 1 ${start} ${duration} <NA> <NA> ${labels.get(turn.speaker)!} <NA> <NA>\n`;
    })
    .join('');
}

/**
 * The turns of every recording that an RTTM file holds, by uri, each in the order of the file.
 *
 * Records of NIST's other types are skipped. The end of a turn is start + duration in double
 * precision, as `pyannote.database.util.load_rttm` takes it. The format does not allow spaces in a uri or a speaker's
 * name, but some programs write them. They are read if the line is not ambiguous.
 *
 * @throws VoxlaneError `format`, with the line number, for a line that is no RTTM record, has too few or too many
 *   fields, or has a time that is not finite or a duration below zero.
 */
export function parseRttm(text: string): Map<string, Turn[]> {
  const recordings = new Map<string, Turn[]>();
  const wholeConfidences = new Map<string, string>();
  for (const record of readRecords(text)) {
    const [type = ''] = record.fields;
    // Without this check any text at all would pass as an RTTM file without turns.
    if (!RECORD_TYPES.has(type)) throw unreadable(record, 'starts with no RTTM record type', EXPECTED);
    if (type !== 'SPEAKER') continue;
    const { uri, times, speaker, confidence } = readFields(record);
    if (confidence !== undefined && /^\d+$/.test(confidence)) {
      // "Speaker 2" and a confidence of 2 look alike. So do "Speaker 0" and "Speaker 1", which would become one speaker.
      const isName = Number(confidence) > 1 || confidence !== (wholeConfidences.get(speaker) ?? confidence);
      if (isName) throw unreadable(record, `may have the speaker "${speaker} ${confidence}" or the confidence ${confidence}`, EXPECTED);
      wholeConfidences.set(speaker, confidence);
    }
    const startSeconds = secondsAt(times, 0, 'start', EXPECTED);
    const duration = secondsAt(times, 1, 'duration', EXPECTED);
    if (duration < 0) throw unreadable(record, `has the duration ${duration}, which is below zero`, EXPECTED);
    const turns = recordings.get(uri) ?? [];
    turns.push({ startSeconds, endSeconds: startSeconds + duration, speaker });
    recordings.set(uri, turns);
  }
  return recordings;
}

/** The fields of a SPEAKER line that are read. */
interface SpeakerFields {
  readonly uri: string;
  /** Its fields are the start and the duration. */
  readonly times: TextRecord;
  readonly speaker: string;
  /** Undefined if the line has none, or if tabs separate its fields, so that the end of the name is certain. */
  readonly confidence?: string | undefined;
}

/**
 * Finds the fields of a SPEAKER line. A name with spaces moves all fields after it. The two `<NA>` after the times, and
 * the confidence and lookahead at the end, give their places.
 */
function readFields(record: TextRecord): SpeakerFields {
  const { text, fields } = record;
  // A program that separates fields by tabs may have spaces in them.
  const between = text.split('\t').map((field) => field.trim());
  const isTabbed = hasCount(between) && isDecimal(between[3]) && isDecimal(between[4]);
  if (isTabbed && between[1] !== '' && between[7] !== '') return { ...fieldsAt(record, between, AFTER_TIMES), confidence: undefined };
  const after = fields.findIndex((_, at) => at >= AFTER_TIMES && isAfterTimes(fields, at));
  if (after >= 0) return fieldsAt(record, fields, after);
  // Other words stand for `<NA>`. A third number is the start or the duration, moved by a name with a space.
  if (!hasCount(fields) || isDecimal(fields[AFTER_TIMES])) throw wrongCount(record);
  return fieldsAt(record, fields, AFTER_TIMES);
}

const hasCount = ({ length }: readonly string[]): boolean => length >= MIN_FIELDS && length <= MAX_FIELDS;

/** Whether the fields at `at` are the two `<NA>` that follow the start and the duration. */
const isAfterTimes = (fields: readonly string[], at: number): boolean =>
  fields[at] === NO_VALUE && fields[at + 1] === NO_VALUE && isDecimal(fields[at - 1]) && isDecimal(fields[at - 2]);

/** @param after index of the field after the times */
function fieldsAt(record: TextRecord, fields: readonly string[], after: number): SpeakerFields {
  const rest = fields.slice(after + 2);
  // The confidence and the lookahead, which some programs leave out.
  const numLast = isEnd(rest.at(-1)) ? (isEnd(rest.at(-2)) ? 2 : 1) : 0;
  const name = rest.slice(0, Math.max(1, rest.length - numLast));
  const [confidence] = rest.slice(name.length);
  // `<NA>` inside a name would be a field of its own.
  if (rest.length === 0 || (name.length > 1 && name.includes(NO_VALUE))) throw wrongCount(record);
  return {
    uri: fields.slice(1, after - 3).join(' '),
    times: { ...record, fields: fields.slice(after - 2, after) },
    speaker: name.join(' '),
    confidence,
  };
}

/** Whether a field can be a confidence or a lookahead. */
const isEnd = (field: string | undefined): boolean => field !== undefined && (NO_VALUES.has(field) || isDecimal(field));

function wrongCount(record: TextRecord): VoxlaneError {
  const { fields } = record;
  const isMoved = hasCount(fields);
  const found = isMoved ? `has ${fields.length} fields, which a name with spaces has moved` : `has ${fields.length} fields instead of ${MIN_FIELDS} to ${MAX_FIELDS}`;
  return unreadable(record, found + (fields.length > MAX_FIELDS ? ', or a name with spaces' : ''), EXPECTED);
}

/** Some readers treat control characters as white space. UTF-8 cannot encode half a surrogate pair. */
function withoutSpace(name: string): string {
  return name.replace(/[\s\p{Cc}]+/gu, '_').replace(/\p{Cs}/gu, '\uFFFD') || NO_VALUE;
}

/**
 * Seconds with three decimals as Python's `:.3f` gives them.
 *
 * Both languages round the exact value of the double. Only where that lies midway between two milliseconds do
 * they part: Python takes the even digit, `toFixed` the larger number. A double can lie midway only as an odd
 * multiple of 1/16, and such values occur: 100 frames of the segmentation model are 1.6875 s.
 */
function toMilliseconds(seconds: number): string {
  if (Math.abs((seconds * 16) % 2) !== 1) return seconds.toFixed(3);
  const below = Math.floor(seconds * 1000);
  return ((below % 2 === 0 ? below : below + 1) / 1000).toFixed(3);
}
