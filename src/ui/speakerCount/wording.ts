import { countWithAlternatives } from './certainty';
import { talkingOf } from './changes';
import type { Proposal } from './session';
import { countText as words } from './text';

/** Moves listed one by one. The rest is added up. */
const MOST_MOVES = 5;

/**
 * What a proposal does to the result, sentence by sentence: the number of speakers, merges and splits, speech that moves
 * between speakers, and speakers with very little speech.
 */
export function sentencesOf(
  { request, annotation, changes, brief, speakerCount }: Pick<Proposal, 'request' | 'annotation' | 'changes' | 'brief' | 'speakerCount'>,
  namesBefore: ReadonlyMap<string, string>,
  namesAfter: ReadonlyMap<string, string>,
): readonly string[] {
  const nameBefore = (id: string): string => namesBefore.get(id) ?? id;
  const found = talkingOf(annotation).length;
  // A count that a person asked for has no alternatives.
  const sentences = [words.found(countWithAlternatives({ ...speakerCount, value: found }))];
  if (typeof request.choice === 'number' && request.choice !== found) sentences.push(words.fewer(request.choice, found));
  for (const change of changes.speakers) {
    if (change.kind === 'merged') sentences.push(words.merged(change.from.map(nameBefore)));
    else if (change.kind === 'split') sentences.push(words.split(nameBefore(change.from), change.into.map(({ seconds }) => seconds)));
    else sentences.push(words.gone(nameBefore(change.speaker)));
  }
  for (const { from, into, seconds } of changes.moves.slice(0, MOST_MOVES)) {
    sentences.push(words.moved(seconds, nameBefore(from), namesAfter.get(into) ?? into));
  }
  const rest = changes.moves.slice(MOST_MOVES);
  if (rest.length > 0) sentences.push(words.movedMore(rest.length, rest.reduce((sum, { seconds }) => sum + seconds, 0)));
  if (changes.speakers.length === 0 && changes.moves.length === 0) sentences.push(changes.hasTurns ? words.turnsOnly : words.same);
  for (const { speaker, speechSeconds } of brief) sentences.push(words.brief(namesAfter.get(speaker.id) ?? speaker.id, speechSeconds));
  return sentences;
}
