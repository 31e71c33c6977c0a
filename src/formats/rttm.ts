import type { Turn } from '../timeline/turn';
import { readRecords, secondsAt, unreadable } from './lines';

const EXPECTED = 'SPEAKER <uri> <channel> <start seconds> <duration seconds> <NA> <NA> <speaker> <NA> <NA>';

/** A first field as NIST's record types look: `SPEAKER`, `SPKR-INFO`, `NON-LEX`, `A/P` and the like. */
const RECORD_TYPE = /^[A-Z][A-Z_/-]*$/;

/** Shorter turns do not exist for pyannote.core: `SEGMENT_PRECISION` in its `segment.py`. */
const SHORTEST_SECONDS = 1e-6;

/**
 * The turns as RTTM text, byte for byte as pyannote.core 6.1 writes them (`Annotation.to_rttm`).
 *
 * Turns are ordered by start, then end, then as given. A turn of at most one microsecond is left out. White space
 * in `uri` or in a label would shift the fields of the line; pyannote refuses it, here it becomes `_`.
 *
 * @param turns times in seconds
 * @param uri name of the recording; an empty one becomes `<NA>`
 */
export function toRttm(turns: readonly Turn[], uri: string): string {
  const name = withoutSpace(uri);
  return turns
    .filter((turn) => turn.endSeconds - turn.startSeconds > SHORTEST_SECONDS)
    .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds)
    .map((turn) => {
      const start = toMilliseconds(turn.startSeconds);
      const duration = toMilliseconds(turn.endSeconds - turn.startSeconds);
      return `SPEAKER ${name} 1 ${start} ${duration} <NA> <NA> ${withoutSpace(turn.speaker)} <NA> <NA>\n`;
    })
    .join('');
}

/**
 * The turns of every recording that an RTTM file holds, by uri, each in the order of the file.
 *
 * Records of other types than `SPEAKER` are skipped. The end of a turn is start + duration in double
 * precision, as `pyannote.database.util.load_rttm` takes it.
 *
 * @throws VoxlaneError `format`, with the line number, for a line that is no RTTM record, lacks fields, or has a
 *   time that is not finite or a duration below zero.
 */
export function parseRttm(text: string): Map<string, Turn[]> {
  const recordings = new Map<string, Turn[]>();
  for (const record of readRecords(text)) {
    const [type = '', uri = '', , , , , , speaker] = record.fields;
    // Without this check any text at all would pass as an RTTM file without turns.
    if (!RECORD_TYPE.test(type)) throw unreadable(record, 'starts with no RTTM record type', EXPECTED);
    if (type !== 'SPEAKER') continue;
    if (speaker === undefined) {
      throw unreadable(record, `has ${record.fields.length} fields instead of at least 8`, EXPECTED);
    }
    const startSeconds = secondsAt(record, 3, 'start', EXPECTED);
    const duration = secondsAt(record, 4, 'duration', EXPECTED);
    if (duration < 0) throw unreadable(record, `has the duration ${duration}, which is below zero`, EXPECTED);
    const turns = recordings.get(uri) ?? [];
    turns.push({ startSeconds, endSeconds: startSeconds + duration, speaker });
    recordings.set(uri, turns);
  }
  return recordings;
}

function withoutSpace(name: string): string {
  return name.replace(/\s+/g, '_') || '<NA>';
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
