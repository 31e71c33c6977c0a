import type { Turn } from '../timeline/turn';
import type { Annotation, AnnotationSpeaker, EditableTurn } from './annotation';
import { exchangeTurns, turnsBetween } from './order';

/** A run of a list's items, and what is there instead afterwards. */
export interface Splice<Item> {
  readonly index: number;
  readonly before: readonly Item[];
  readonly after: readonly Item[];
}

/** What tells one annotation from another, readable in both directions. As large as what differs. */
export interface Patch {
  /** In the order of the annotation. */
  readonly turns: { readonly before: readonly EditableTurn[]; readonly after: readonly EditableTurn[] };
  readonly speakers: Splice<AnnotationSpeaker>;
  readonly exclusiveHints: Splice<Turn>;
  readonly nextId: { readonly before: number; readonly after: number };
  /** Absent where they stay the same. */
  readonly facts?: { readonly before: AnnotationFacts; readonly after: AnnotationFacts };
}

/** What an annotation may say of its turns and labels as a whole. */
export type AnnotationFacts = Pick<Annotation, 'confidenceKind' | 'minDurations' | 'nextLabel'>;

/**
 * The difference of two annotations of one recording. Goes by identity: what the later one does not share with the
 * earlier is taken for changed.
 */
export function patchBetween(before: Annotation, after: Annotation): Patch {
  const facts = { before: factsOf(before), after: factsOf(after) };
  return {
    turns: turnsBetween(before.turns, after.turns),
    speakers: spliceBetween(before.speakers, after.speakers),
    exclusiveHints: spliceBetween(before.exclusiveHints, after.exclusiveHints),
    nextId: { before: before.nextId, after: after.nextId },
    ...(!areSameFacts(facts.before, facts.after) && { facts }),
  };
}

/** The annotation after the patch, from the one before it. */
export function applyPatch(annotation: Annotation, { turns, speakers, exclusiveHints, nextId, facts }: Patch): Annotation {
  return {
    durationSeconds: annotation.durationSeconds,
    speakers: spliced(annotation.speakers, speakers),
    turns: exchangeTurns(annotation.turns, turns.before, turns.after),
    exclusiveHints: spliced(annotation.exclusiveHints, exclusiveHints),
    nextId: nextId.after,
    ...(facts?.after ?? factsOf(annotation)),
  };
}

/** The patch that takes this one back. */
export function inverse({ turns, speakers, exclusiveHints, nextId, facts }: Patch): Patch {
  return {
    turns: turned(turns),
    speakers: { index: speakers.index, ...turned(speakers) },
    exclusiveHints: { index: exclusiveHints.index, ...turned(exclusiveHints) },
    nextId: turned(nextId),
    ...(facts && { facts: turned(facts) }),
  };
}

/** Always in one order, so that equal annotations are equal bytes. */
export function factsOf({ confidenceKind, minDurations, nextLabel }: AnnotationFacts): AnnotationFacts {
  return {
    ...(confidenceKind !== undefined && { confidenceKind }),
    ...(minDurations && { minDurations }),
    ...(nextLabel !== undefined && { nextLabel }),
  };
}

export function areSameFacts(one: AnnotationFacts, other: AnnotationFacts): boolean {
  return (
    one.confidenceKind === other.confidenceKind &&
    one.minDurations?.minDurationOn === other.minDurations?.minDurationOn &&
    one.minDurations?.minDurationOff === other.minDurations?.minDurationOff &&
    one.nextLabel === other.nextLabel
  );
}

function turned<Value>({ before, after }: { readonly before: Value; readonly after: Value }): { before: Value; after: Value } {
  return { before: after, after: before };
}

/** What is left of both lists without their common beginning and end. */
function spliceBetween<Item>(before: readonly Item[], after: readonly Item[]): Splice<Item> {
  const shorter = Math.min(before.length, after.length);
  let index = 0;
  while (index < shorter && before[index] === after[index]) index++;
  let end = 0;
  while (end < shorter - index && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { index, before: before.slice(index, before.length - end), after: after.slice(index, after.length - end) };
}

function spliced<Item>(list: readonly Item[], { index, before, after }: Splice<Item>): readonly Item[] {
  if (before.length === 0 && after.length === 0) return list;
  return [...list.slice(0, index), ...after, ...list.slice(index + before.length)];
}
