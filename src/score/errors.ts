import type { Turn } from '../timeline/turn';
import { isEmpty, type Interval } from './intervals';
import { optimalMapping } from './mapping';
import { cutAtBoundaries, matchVoices, type Piece } from './pieces';
import { scoredSides, type ScoreOptions } from './scored';

/**
 * What is wrong in a stretch: speech that the hypothesis lacks, speech that only the hypothesis has, or speech that it gives to
 * another speaker.
 */
export type ErrorKind = 'missed' | 'false-alarm' | 'confusion';

/** A stretch in which one voice is wrong. Of several voices that are wrong at once each has a stretch of its own. */
export interface ErrorStretch extends Interval {
  /** What is wrong. */
  readonly kind: ErrorKind;
  /** Who speaks by the reference; null of a false alarm. */
  readonly reference: string | null;
  /** Who speaks by the hypothesis, as it names the speaker; null of missed speech. */
  readonly hypothesis: string | null;
}

/**
 * Where the hypothesis differs from the reference, cut as the diarization error rate counts it: the seconds of each
 * kind add up to the rate's component. Stretches of the same speakers that follow one another are one. Where several
 * voices are wrong at once, the rate does not say who was taken for whom: they are paired in the order of their names.
 *
 * @returns sorted by start, then by end
 * @throws VoxlaneError `options` for a collar below zero or a time that is not finite.
 */
export function errorsOf(
  reference: readonly Turn[],
  hypothesis: readonly Turn[],
  options: ScoreOptions = {},
): ErrorStretch[] {
  const sides = scoredSides(reference, hypothesis, options);
  const mapping = optimalMapping(sides.reference, sides.hypothesis);
  return errorStretches(cutAtBoundaries(sides.reference, sides.hypothesis), mapping);
}

/**
 * The errors of pieces.
 *
 * @param mapping speaker of the hypothesis → speaker of the reference
 */
export function errorStretches(pieces: readonly Piece[], mapping: ReadonlyMap<string, string>): ErrorStretch[] {
  const found: Growing[] = [];
  /** The errors that reach to the end of the piece before. */
  let open: Growing[] = [];
  for (const piece of pieces) {
    const { spoken, heard } = matchVoices(piece, mapping);
    const growing: Growing[] = [];
    for (let index = 0; index < Math.max(spoken.length, heard.length); index++) {
      const [reference = null, hypothesis = null] = [spoken[index], heard[index]];
      const earlier = open.findIndex((one) => continues(one, reference, hypothesis, piece));
      const error = open[earlier] ?? begin(reference, hypothesis, piece);
      if (earlier < 0) found.push(error);
      else open.splice(earlier, 1);
      error.endSeconds = piece.endSeconds;
      growing.push(error);
    }
    open = growing;
  }
  return found.sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/** A stretch that the next piece may make longer. */
type Growing = Omit<ErrorStretch, 'endSeconds'> & { endSeconds: number };

function begin(reference: string | null, hypothesis: string | null, { startSeconds, endSeconds }: Piece): Growing {
  const kind = reference === null ? 'false-alarm' : hypothesis === null ? 'missed' : 'confusion';
  return { startSeconds, endSeconds, kind, reference, hypothesis };
}

function continues(earlier: ErrorStretch, reference: string | null, hypothesis: string | null, piece: Piece): boolean {
  return (
    earlier.reference === reference &&
    earlier.hypothesis === hypothesis &&
    isEmpty({ startSeconds: earlier.endSeconds, endSeconds: piece.startSeconds })
  );
}
