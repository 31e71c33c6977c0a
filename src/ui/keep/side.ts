import * as v from 'valibot';
import type { Peaks } from '../../audio/peaks';
import type { Transcript } from '../../transcript/transcript';

/** Parts of kept work that it can be opened without: one that is damaged is as good as absent. */

const times = { startSeconds: v.number(), endSeconds: v.number(), text: v.string() };
const transcriptSchema = v.object({
  file: v.string(),
  cues: v.array(v.object({ ...times, words: v.array(v.object(times)) })),
});

const peaksSchema = v.object({ secondsPerPeak: v.pipe(v.number(), v.gtValue(0)), extremes: v.instance(Int16Array) });

/** @param stored JSON text */
export function transcriptFrom(stored: unknown): Transcript | null {
  if (typeof stored !== 'string') return null;
  try {
    const value: unknown = JSON.parse(stored);
    return v.is(transcriptSchema, value) ? value : null;
  } catch {
    return null;
  }
}

export function peaksFrom(stored: unknown): Peaks | null {
  return v.is(peaksSchema, stored) ? stored : null;
}
