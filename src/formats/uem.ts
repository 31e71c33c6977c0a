import { readRecords, secondsAt, unreadable } from './lines';

const EXPECTED = '<uri> <channel> <start seconds> <end seconds>';

/** A stretch of a recording that counts in an evaluation. Times are seconds from the start of the recording. */
export interface UemRegion {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
}

/**
 * The regions of every recording that a UEM file (NIST's "unpartitioned evaluation map") holds, by uri.
 *
 * The channel is not looked at, as in `pyannote.database.util.load_uem`. Regions may touch or overlap.
 *
 * @throws VoxlaneError `format`, with the line number, for a line that lacks fields, has a time that is not
 *   finite, or ends before it starts.
 */
export function parseUem(text: string): Map<string, UemRegion[]> {
  const recordings = new Map<string, UemRegion[]>();
  for (const record of readRecords(text)) {
    if (record.fields.length < 4) {
      throw unreadable(record, `has ${record.fields.length} fields instead of 4`, EXPECTED);
    }
    const startSeconds = secondsAt(record, 2, 'start', EXPECTED);
    const endSeconds = secondsAt(record, 3, 'end', EXPECTED);
    if (endSeconds < startSeconds) throw unreadable(record, 'ends before it starts', EXPECTED);
    const uri = record.fields[0] ?? '';
    const regions = recordings.get(uri) ?? [];
    regions.push({ startSeconds, endSeconds });
    recordings.set(uri, regions);
  }
  return recordings;
}
