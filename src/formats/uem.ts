import { isDecimal, readRecords, secondsAt, unreadable, type TextRecord } from './lines';

const EXPECTED = '<uri> <channel> <start seconds> <end seconds>';

const NUM_FIELDS = 4;
/** A number, a letter or a placeholder. */
const CHANNEL = /^(?:\d+|[A-Za-z]|<NA>|NA)$/;

/** A segment of a recording that counts in an evaluation. Times are seconds from the start of the recording. */
export interface UemRegion {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
}

/**
 * The regions of every recording in a UEM file (NIST's "unpartitioned evaluation map"), by uri.
 *
 * The channel is ignored, as in `pyannote.database.util.load_uem`. Regions may touch or overlap. A uri with spaces is accepted
 * if the line is not ambiguous; fields after the end are skipped.
 *
 * @throws VoxlaneError `format`, with the line number, for a line with too few or too many fields, a time that is
 *   not finite, or an end before the start.
 */
export function parseUem(text: string): Map<string, UemRegion[]> {
  const recordings = new Map<string, UemRegion[]>();
  for (const record of readRecords(text)) {
    const channel = channelPlace(record);
    const startSeconds = secondsAt(record, channel + 1, 'start', EXPECTED);
    const endSeconds = secondsAt(record, channel + 2, 'end', EXPECTED);
    if (endSeconds < startSeconds) throw unreadable(record, 'ends before it starts', EXPECTED);
    const uri = record.fields.slice(0, channel).join(' ');
    const regions = recordings.get(uri) ?? [];
    regions.push({ startSeconds, endSeconds });
    recordings.set(uri, regions);
  }
  return recordings;
}

/** Index of the channel: the second field, or a later one if the uri has spaces. */
function channelPlace(record: TextRecord): number {
  const { fields } = record;
  if (fields.length < NUM_FIELDS) throw unreadable(record, `has ${fields.length} fields instead of ${NUM_FIELDS}`, EXPECTED);
  if (fields.length === NUM_FIELDS) return 1;
  const places = fields.flatMap((field, at) => {
    const [start, end] = [fields[at + 1], fields[at + 2]];
    const isRegion = at >= 1 && CHANNEL.test(field) && isDecimal(start) && isDecimal(end) && Number(end) >= Number(start);
    return isRegion ? [at] : [];
  });
  const [place, ...others] = places;
  if (place === undefined || others.length > 0) {
    throw unreadable(record, `has ${fields.length} fields instead of ${NUM_FIELDS}, or a name with spaces`, EXPECTED);
  }
  return place;
}
