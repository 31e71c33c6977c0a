import type { Annotation } from '../../editing/annotation';
import { movesBetween, type Move } from './moves';
import { greatest, sharedSeconds, transposed } from './overlap';

/** What becomes of speakers when a recording is clustered anew. Ids before are of the old annotation, after of the new. */
export type SpeakerChange =
  /** Most of what each of `from` says is said by `into` now. */
  | { readonly kind: 'merged'; readonly from: readonly string[]; readonly into: string }
  /** Each of `into` has more of `from`'s speech than of anyone else's; the seconds are those they have of it. */
  | { readonly kind: 'split'; readonly from: string; readonly into: readonly { readonly speaker: string; readonly seconds: number }[] }
  /** Nothing that this speaker says is anyone's now. */
  | { readonly kind: 'gone'; readonly speaker: string };

export interface Changes {
  /** Merged ones first, then split ones, each in the order of the lanes. */
  readonly speakers: readonly SpeakerChange[];
  /** Speech that goes from one speaker to another, the longest first, without the moves of a merge or split in `speakers`. */
  readonly moves: readonly Move[];
  /** Whether any turn begins, ends or belongs otherwise; a change without one of `speakers` is of single turns only. */
  readonly hasTurns: boolean;
}

/** Who becomes one with whom, and who becomes several, each decided by the greatest overlap of time. */
export function changesBetween(before: Annotation, after: Annotation): Changes {
  const shared = sharedSeconds(before.turns, after.turns);
  const goesTo = greatest(shared);
  const comesFrom = greatest(transposed(shared));
  const merged = after.speakers.flatMap(({ id: into }): SpeakerChange[] => {
    const from = before.speakers.map(({ id }) => id).filter((id) => goesTo.get(id) === into);
    return from.length > 1 ? [{ kind: 'merged', from, into }] : [];
  });
  const split = before.speakers.flatMap(({ id: from }): SpeakerChange[] => {
    const into = after.speakers
      .filter(({ id }) => comesFrom.get(id) === from)
      .map(({ id: speaker }) => ({ speaker, seconds: shared.get(from)?.get(speaker) ?? 0 }));
    return into.length > 1 ? [{ kind: 'split', from, into }] : [];
  });
  const gone = talkingOf(before).filter((id) => !goesTo.has(id)).map((speaker): SpeakerChange => ({ kind: 'gone', speaker }));
  const isListed = ({ from, into }: Move): boolean =>
    goesTo.get(from) === into || comesFrom.get(into) === from;
  const moves = movesBetween(before.turns, after.turns).filter((move) => !isListed(move));
  return { speakers: [...merged, ...split, ...gone], moves, hasTurns: !isSameTurns(before, after) };
}

function isSameTurns({ turns: before }: Annotation, { turns: after }: Annotation): boolean {
  return (
    before.length === after.length &&
    before.every((turn, index) => {
      const other = after[index];
      return (
        other?.speaker === turn.speaker && other.startSeconds === turn.startSeconds && other.endSeconds === turn.endSeconds
      );
    })
  );
}

/** Ids of the speakers who have a turn, in the order of the lanes. */
export function talkingOf({ speakers, turns }: Annotation): string[] {
  const talking = new Set(turns.map(({ speaker }) => speaker));
  return speakers.map(({ id }) => id).filter((id) => talking.has(id));
}
