import type { Annotation } from '../../editing/annotation';
import type { Turn } from '../../timeline/turns';
import { VoxlaneError } from '../../util/errors';
import { workText } from './text';

/**
 * Maximum number of turns that the app opens. `npm run bench -- --check crowd` measures the longest task of the page
 * with it.
 */
export const MAX_TURNS = 1_000_000;
export const MAX_SPEAKERS = 5000;
/** A string in a browser has at most about 536 million characters. */
export const MAX_BYTES = 500_000_000;

/**
 * Up to this number, turns are processed on the main thread. Larger results are read, exported and made exclusive in a
 * worker. They are not saved in the browser and have no review, transcript and score, which process all turns at once.
 */
export const MAX_TURNS_AT_ONCE = 50_000;
/** The speaker assignment of a score is cubic in their number. */
export const MAX_SPEAKERS_SCORED = 300;
/** Larger files are read in a worker. */
export const MAX_BYTES_AT_ONCE = 256_000;

/** Whether an annotation has too many turns to process all of them on the main thread. */
export const isVast = ({ turns }: Pick<Annotation, 'turns'>): boolean => turns.length > MAX_TURNS_AT_ONCE;

/** @throws VoxlaneError `format` for a file with too many turns or speakers */
export function checkSize(file: string, numTurns: number, numSpeakers: number): void {
  if (numTurns <= MAX_TURNS && numSpeakers <= MAX_SPEAKERS) return;
  throw new VoxlaneError({ code: 'format', ...workText.tooMany(file, numTurns, numSpeakers, MAX_TURNS, MAX_SPEAKERS) });
}

/** @throws VoxlaneError `format` for a file too large for one string */
export function checkBytes({ name, size }: File): void {
  if (size > MAX_BYTES) throw new VoxlaneError({ code: 'format', ...workText.tooLarge(name, size, MAX_BYTES) });
}

/** @throws VoxlaneError `format` if the present or the new turns are too many for one edit */
export function checkAtOnce(file: string, numTurns: number): void {
  if (numTurns <= MAX_TURNS_AT_ONCE) return;
  throw new VoxlaneError({ code: 'format', ...workText.tooManyToReplace(file, numTurns, MAX_TURNS_AT_ONCE) });
}

/** A larger reference would block the page while it is parsed: about 80,000 lines. */
const MAX_REFERENCE_BYTES = 5_000_000;

/** @throws VoxlaneError `format` for a reference that is too large */
export function checkReferenceBytes({ name, size }: File): void {
  if (size <= MAX_REFERENCE_BYTES) return;
  const { problem, expected } = workText.tooLarge(name, size, MAX_REFERENCE_BYTES);
  throw new VoxlaneError({ code: 'format', problem, expected, remedy: workText.scoreCommand });
}

/** @throws VoxlaneError `options` if the reference or the hypothesis is too large to score */
export function checkScored(reference: readonly Turn[], hypothesis: readonly Turn[]): void {
  const numTurns = Math.max(reference.length, hypothesis.length);
  const problem =
    numTurns > MAX_TURNS_AT_ONCE
      ? workText.tooManyHere(numTurns, MAX_TURNS_AT_ONCE)
      : [reference, hypothesis].map((turns) => new Set(turns.map(({ speaker }) => speaker)).size)
          .filter((speakers) => speakers > MAX_SPEAKERS_SCORED)
          .map((speakers) => workText.tooManyScored(speakers, MAX_SPEAKERS_SCORED))[0];
  if (problem !== undefined) throw new VoxlaneError({ code: 'options', problem: problem.replace(/\.$/, ''), remedy: workText.scoreCommand });
}
