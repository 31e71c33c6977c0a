import type { Turn } from '../timeline/turns';
import type { VoxlaneError } from '../util/errors';
import { distinctNames, isDecimal, readRecords, secondsAt, type TextRecord, unreadable } from './lines';

const EXPECTED = 'SPEAKER <uri> <channel> <start seconds> <duration seconds> <NA> <NA> <speaker> <NA> <NA>';

/** The record types of NIST's RTTM. Only `SPEAKER` records contain turns. */
const RECORD_TYPES: ReadonlySet<string> = new Set(
  'SPEAKER SPKR-INFO SEGMENT NOSCORE NO_RT_METADATA LEXEME NON-LEX NON-SPEECH FILLER EDIT IP SU CB A/P'.split(' '),
);
const NO_VALUE = '<NA>';
/** Placeholders that some programs write instead. */
const NO_VALUES: ReadonlySet<string> = new Set([NO_VALUE, 'NA', '-', 'nan', 'None', 'null']);
/** NIST's format has ten fields; its older versions and some programs omit the last one or two. */
const MIN_FIELDS = 8;
const MAX_FIELDS = 10;
/** Index of the field after the times, if no name has a space. */
const AFTER_TIMES = 5;

/** pyannote.core ignores shorter turns: `SEGMENT_PRECISION` in its `segment.py`. */
const SHORTEST_SECONDS = 1e-6;

/**
 * The turns as RTTM text, byte-identical to the output of pyannote.core 6.1 (`Annotation.to_rttm`).
 *
 * Turns are sorted by start, then end; ties keep their order. Turns of at most one microsecond are omitted. White space
 * in `uri` or in a label would shift the fields of the line; pyannote rejects it, this function replaces it with `_`. Labels that
 * would become equal get a number: `A B` and `A_B` are written as `A_B_2` and `A_B`.
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
 * The turns of every recording in an RTTM file, by uri, each in file order.
 *
 * Records of NIST's other types are skipped. The end of a turn is start + duration in double
 * precision, as in `pyannote.database.util.load_rttm`. The format does not allow spaces in a uri or a speaker
 * name, but some programs write them. They are accepted if the line is not ambiguous.
 *
 * @throws VoxlaneError `format`, with the line number, for a line that is not an RTTM record, has too few or too many
 *   fields, a time that is not finite, or a negative duration.
 */
export function parseRttm(text: string): Map<string, Turn[]> {
  const recordings = new Map<string, Turn[]>();
  const wholeConfidences = new Map<string, string>();
  for (const record of readRecords(text)) {
    const [type = ''] = record.fields;
    // Without this check, any text would be accepted as an RTTM file without turns.
    if (!RECORD_TYPES.has(type)) throw unreadable(record, 'does not start with an RTTM record type', EXPECTED);
    if (type !== 'SPEAKER') continue;
    const { uri, times, speaker, confidence } = readFields(record);
    if (confidence !== undefined && /^\d+$/.test(confidence)) {
      // "Speaker 2" and a confidence of 2 look alike. So do "Speaker 0" and "Speaker 1", which would become one speaker.
      const isName = Number(confidence) > 1 || confidence !== (wholeConfidences.get(speaker) ?? confidence);
      if (isName) throw unreadable(record, `is ambiguous: "${confidence}" is either the confidence or the end of the name "${speaker} ${confidence}"`, EXPECTED);
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

/** The relevant fields of a SPEAKER line. */
interface SpeakerFields {
  readonly uri: string;
  /** Its fields are the start and the duration. */
  readonly times: TextRecord;
  readonly speaker: string;
  /** Undefined if the line has none, or if tabs separate its fields, because the end of the name is then certain. */
  readonly confidence?: string | undefined;
}

/**
 * Finds the fields of a SPEAKER line. A name with spaces shifts all fields after it. The two `<NA>` after the times, and
 * the confidence and lookahead at the end, locate them.
 */
function readFields(record: TextRecord): SpeakerFields {
  const { text, fields } = record;
  // If tabs separate the fields, fields may contain spaces.
  const between = text.split('\t').map((field) => field.trim());
  const isTabbed = hasCount(between) && isDecimal(between[3]) && isDecimal(between[4]);
  if (isTabbed && between[1] !== '' && between[7] !== '') return { ...fieldsAt(record, between, AFTER_TIMES), confidence: undefined };
  const after = fields.findIndex((_, at) => at >= AFTER_TIMES && isAfterTimes(fields, at));
  if (after >= 0) return fieldsAt(record, fields, after);
  // Other values may replace `<NA>`. A third number is the start or the duration, shifted by a name with a space.
  if (!hasCount(fields) || isDecimal(fields[AFTER_TIMES])) throw wrongCount(record);
  return fieldsAt(record, fields, AFTER_TIMES);
}

const hasCount = ({ length }: readonly string[]): boolean => length >= MIN_FIELDS && length <= MAX_FIELDS;

/** Whether the fields at `at` are the two `<NA>` after the start and the duration. */
const isAfterTimes = (fields: readonly string[], at: number): boolean =>
  fields[at] === NO_VALUE && fields[at + 1] === NO_VALUE && isDecimal(fields[at - 1]) && isDecimal(fields[at - 2]);

/** @param after index of the field after the times */
function fieldsAt(record: TextRecord, fields: readonly string[], after: number): SpeakerFields {
  const rest = fields.slice(after + 2);
  // The confidence and the lookahead, which some programs omit.
  const numLast = isEnd(rest.at(-1)) ? (isEnd(rest.at(-2)) ? 2 : 1) : 0;
  const name = rest.slice(0, Math.max(1, rest.length - numLast));
  const [confidence] = rest.slice(name.length);
  // `<NA>` inside a name would be a separate field.
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
  const isShifted = hasCount(fields);
  const found = isShifted ? `has ${fields.length} fields, shifted by a name with spaces` : `has ${fields.length} fields instead of ${MIN_FIELDS} to ${MAX_FIELDS}`;
  return unreadable(record, found + (fields.length > MAX_FIELDS ? ', or a name with spaces' : ''), EXPECTED);
}

/** A name as RTTM has it. Some readers treat control characters as white space. UTF-8 cannot encode an unpaired surrogate. */
export function withoutSpace(name: string): string {
  return name.replace(/[\s\p{Cc}]+/gu, '_').replace(/\p{Cs}/gu, '\uFFFD') || NO_VALUE;
}

/**
 * Seconds with three decimals, as formatted by Python's `:.3f`.
 *
 * Both languages round the exact value of the double. They differ only for values exactly midway between two milliseconds:
 * Python rounds to the even digit, `toFixed` to the greater number. A double is midway only if it is an odd
 * multiple of 1/16, and such values occur: 100 frames of the segmentation model are 1.6875 s.
 */
function toMilliseconds(seconds: number): string {
  if (Math.abs((seconds * 16) % 2) !== 1) return seconds.toFixed(3);
  const below = Math.floor(seconds * 1000);
  return ((below % 2 === 0 ? below : below + 1) / 1000).toFixed(3);
}
