import * as v from 'valibot';
import { describeIssue } from '../../util/describeIssue';
import { History } from '../../editing/history';
import type { DiarizationResult } from '../../pipeline/types';
import { VoxlaneError } from '../../util/errors';
import type { Outcome } from '../state';

/** An outcome without what is kept apart: its sound and its voices. */
export type KeptOutcome = Omit<Outcome, 'blob' | 'result'> & { readonly result: Omit<DiarizationResult, 'voices'> | null };

const seconds = v.pipe(v.number(), v.finite());
const turns = v.array(
  v.looseObject({ startSeconds: seconds, endSeconds: seconds, speaker: v.string(), confidence: v.exactOptional(v.nullable(v.number())) }),
);

/** What the page reads of it at once. The rest is as this version of the records has it. */
const outcomeSchema = v.looseObject({
  id: v.string(),
  name: v.string(),
  annotation: v.looseObject({}),
  options: v.nullable(v.looseObject({ preset: v.string(), speed: v.string(), backend: v.string() })),
  processingSeconds: v.nullable(v.number()),
  result: v.nullable(
    v.looseObject({
      durationSeconds: seconds,
      turns,
      exclusiveTurns: turns,
      speakers: v.array(v.looseObject({ label: v.string(), speechSeconds: seconds, centroid: v.instance(Float32Array) })),
      timings: v.record(v.string(), v.number()),
      backend: v.looseObject({ name: v.picklist(['webgpu', 'wasm']), threads: v.number(), reason: v.string() }),
      preset: v.string(),
      speed: v.string(),
      embeddingModel: v.string(),
    }),
  ),
});

/** The outcome as it is stored. The copy shares all but what it leaves out. */
export function withoutHeavyParts({ id, name, result, annotation, options, processingSeconds }: Outcome): KeptOutcome {
  if (!result) return { id, name, result, annotation, options, processingSeconds };
  const light = Object.entries(result).filter(([key]) => key !== 'voices');
  return { id, name, result: Object.fromEntries(light) as unknown as KeptOutcome['result'], annotation, options, processingSeconds };
}

/** @throws VoxlaneError `format` where it is not what was stored */
export function outcomeFrom(stored: unknown): KeptOutcome {
  const { issues } = v.safeParse(outcomeSchema, stored);
  if (issues) throw damaged(`${v.getDotPath(issues[0]) ?? 'the result'}: ${describeIssue(issues[0])}`);
  const outcome = withNotes(stored as KeptOutcome);
  // A history of no steps checks an annotation as well.
  History.fromPlain({ version: 1, annotation: outcome.annotation, done: [], undone: [] });
  return outcome;
}

/** Releases before notes kept results without them. */
function withNotes(outcome: KeptOutcome): KeptOutcome {
  return outcome.result ? { ...outcome, result: { ...NO_NOTES, ...outcome.result } } : outcome;
}

const NO_NOTES = { tracks: [], notes: [] };

/** Work that is there, but not as it was stored. */
export function damaged(what: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `The kept work cannot be read: ${what}`,
    expected: 'what this release of the page wrote',
    remedy: 'Delete it, and diarize the recording again',
  });
}
