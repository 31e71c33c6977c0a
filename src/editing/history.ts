import * as v from 'valibot';
import type { Turn } from '../timeline/turns';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import type { Annotation, AnnotationSpeaker, Edit, EditableTurn } from './annotation';
import { applyEdit } from './applyEdit';
import { compareTurns, exchangeTurns, turnsBetween } from './order';

/** A replacement of a run of list items. */
interface Splice<Item> {
  readonly index: number;
  readonly before: readonly Item[];
  readonly after: readonly Item[];
}

/** The difference between two annotations, applicable in both directions. Its size is proportional to the difference. */
interface Patch {
  /** In the order of the annotation. */
  readonly turns: { readonly before: readonly EditableTurn[]; readonly after: readonly EditableTurn[] };
  readonly speakers: Splice<AnnotationSpeaker>;
  readonly exclusiveHints: Splice<Turn>;
  readonly nextId: { readonly before: number; readonly after: number };
  /** Absent if they do not change. */
  readonly facts?: { readonly before: AnnotationInfo; readonly after: AnnotationInfo };
}

/** Optional properties that apply to an annotation as a whole. */
type AnnotationInfo = Pick<Annotation, 'confidenceKind' | 'minDurations' | 'nextLabel'>;

/**
 * The difference between two annotations of one recording. Compares by identity: objects that the two do not share count as
 * changed.
 */
function patchBetween(before: Annotation, after: Annotation): Patch {
  const facts = { before: factsOf(before), after: factsOf(after) };
  return {
    turns: turnsBetween(before.turns, after.turns),
    speakers: spliceBetween(before.speakers, after.speakers),
    exclusiveHints: spliceBetween(before.exclusiveHints, after.exclusiveHints),
    nextId: { before: before.nextId, after: after.nextId },
    ...(!isSameInfo(facts.before, facts.after) && { facts }),
  };
}

/** Applies a patch to the annotation before it. */
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

/** The patch that undoes this one. */
export function inverse({ turns, speakers, exclusiveHints, nextId, facts }: Patch): Patch {
  return {
    turns: turned(turns),
    speakers: { index: speakers.index, ...turned(speakers) },
    exclusiveHints: { index: exclusiveHints.index, ...turned(exclusiveHints) },
    nextId: turned(nextId),
    ...(facts && { facts: turned(facts) }),
  };
}

/** The optional properties in a fixed order, so that equal annotations serialize to equal bytes. */
function factsOf({ confidenceKind, minDurations, nextLabel }: AnnotationInfo): AnnotationInfo {
  return {
    ...(confidenceKind !== undefined && { confidenceKind }),
    ...(minDurations && { minDurations }),
    ...(nextLabel !== undefined && { nextLabel }),
  };
}

function isSameInfo(one: AnnotationInfo, other: AnnotationInfo): boolean {
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

/** The middle part of both lists, without their common start and end. */
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

/** A `History` as plain data. */
export interface PlainHistory {
  /** Version of this format; other releases may use another one. */
  readonly version: 2;
  readonly annotation: Annotation;
  readonly done: readonly HistoryStep[];
  readonly undone: readonly HistoryStep[];
}

const seconds = v.pipe(v.number(), v.finite());
const index = v.pipe(v.number(), v.integer(), v.minValue(0));
const segment = { startSeconds: seconds, endSeconds: seconds, speaker: v.string() };
const confidence = v.nullable(seconds);

const editableTurn = v.object({ id: index, ...segment, confidence: v.exactOptional(confidence), isCorrected: v.boolean() });
const turn = v.object({ ...segment, confidence: v.exactOptional(confidence) });
const speaker = v.object({ id: v.string(), name: v.nullable(v.string()), color: index });

const facts = {
  confidenceKind: v.exactOptional(v.picklist(['posterior', 'margin'])),
  minDurations: v.exactOptional(v.object({ minDurationOn: seconds, minDurationOff: seconds })),
  nextLabel: v.exactOptional(index),
};

const annotationSchema = v.object({
  durationSeconds: seconds,
  speakers: v.array(speaker),
  turns: v.array(editableTurn),
  exclusiveHints: v.array(turn),
  nextId: index,
  ...facts,
});

const step = v.object({
  type: v.picklist([
    'rename-speaker',
    'recolor-speaker',
    'merge-speakers',
    'add-speaker',
    'remove-speaker',
    'add-turn',
    'move-turn',
    'split-turn',
    'assign-turn',
    'confirm-turn',
    'delete-turn',
    'replace',
  ]),
  patch: v.object({
    turns: v.object({ before: v.array(editableTurn), after: v.array(editableTurn) }),
    speakers: v.object({ index, before: v.array(speaker), after: v.array(speaker) }),
    exclusiveHints: v.object({ index, before: v.array(turn), after: v.array(turn) }),
    nextId: v.object({ before: index, after: index }),
    facts: v.exactOptional(v.object({ before: v.object(facts), after: v.object(facts) })),
  }),
});

const historySchema = v.object({ version: v.literal(2), annotation: annotationSchema, done: v.array(step), undone: v.array(step) });

/**
 * Validates the form of a saved history, the consistency of its annotation, and that every step can be undone and
 * redone.
 *
 * @param kept written by this release or an earlier one
 * @returns `kept` itself, without copying; converted to current names if an earlier release wrote it
 * @throws VoxlaneError `format`
 */
export function checkPlainHistory(kept: unknown): PlainHistory {
  const value = hasVersion1(kept) ? fromVersion1(kept) : kept;
  const { issues } = v.safeParse(historySchema, value);
  if (issues) throw unreadable(`${v.getDotPath(issues[0]) ?? 'the value'}: ${describeIssue(issues[0])}`);
  const history = value as PlainHistory;
  checkAnnotation(history.annotation);
  checkSteps(history.annotation, history.done.map(({ patch }) => inverse(patch)).reverse());
  checkSteps(history.annotation, history.undone.map(({ patch }) => patch).reverse());
  return history;
}

/** Converts a history of version 1, which used British spelling. Quotes inside strings are escaped, so only fields match. */
function fromVersion1(kept: object): object {
  const text = JSON.stringify(kept).replaceAll('"colour":', '"color":').replaceAll('"type":"recolour-speaker"', '"type":"recolor-speaker"');
  return { ...(JSON.parse(text) as object), version: 2 };
}

const hasVersion1 = (kept: unknown): kept is object => typeof kept === 'object' && kept !== null && 'version' in kept && kept.version === 1;

function checkAnnotation({ speakers, turns, nextId }: Annotation): void {
  const ids = new Set(speakers.map(({ id }) => id));
  if (ids.size < speakers.length) throw unreadable('two speakers have the same id');
  turns.forEach((turn, at) => {
    const before = turns[at - 1];
    if (before && compareTurns(before, turn) >= 0) throw unreadable(`turn ${turn.id} is out of order`);
    if (!ids.has(turn.speaker)) throw unreadable(`turn ${turn.id} refers to the unknown speaker ${turn.speaker}`);
    if (!(turn.startSeconds < turn.endSeconds)) throw unreadable(`turn ${turn.id} ends before it starts`);
    if (turn.id >= nextId) throw unreadable(`turn ${turn.id} has an id that has not been assigned`);
  });
  if (new Set(turns.map(({ id }) => id)).size < turns.length) throw unreadable('two turns have the same id');
}

/**
 * Checks only ids: applying every patch to all turns would take seconds after thousands of edits.
 *
 * @param patches in the order in which they would be applied to `annotation`
 */
function checkSteps(annotation: Annotation, patches: readonly Patch[]): void {
  const ids = new Set(annotation.turns.map(({ id }) => id));
  // This annotation without turns tracks the speakers, hints, next id and info. Speakers are few, so this is cheap.
  let rest: Annotation = { ...annotation, turns: [] };
  for (const patch of patches) {
    const { turns, speakers, exclusiveHints, nextId } = patch;
    const fits =
      turns.before.every(({ id }) => ids.delete(id)) &&
      turns.after.every(({ id }) => !ids.has(id) && ids.add(id)) &&
      speakers.index + speakers.before.length <= rest.speakers.length &&
      exclusiveHints.index + exclusiveHints.before.length <= rest.exclusiveHints.length &&
      nextId.before === rest.nextId &&
      (!patch.facts || isSameInfo(patch.facts.before, rest));
    if (!fits) throw unreadable('a step does not follow from the previous one');
    rest = applyPatch(rest, { ...patch, turns: { before: [], after: [] } });
  }
}

function unreadable(what: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `The saved corrections cannot be read: ${what}`,
    expected: 'corrections saved by this release of the page',
    remedy: 'Start again from the uncorrected result',
  });
}

/** One correction in a {@link History}. */
export interface HistoryStep {
  readonly type: Edit['type'];
  readonly patch: Patch;
}

/**
 * An annotation with all corrections that led to it. Undo and redo are unlimited and restore exact states.
 * A step takes memory in proportion to its changes, and time in proportion to the number of turns.
 */
export class History {
  #annotation: Annotation;
  /** The latest step is last. */
  #done: HistoryStep[] = [];
  /** The step that was undone last is last. */
  #undone: HistoryStep[] = [];

  constructor(annotation: Annotation) {
    this.#annotation = annotation;
  }

  /**
   * @param value the result of {@link toPlain}, also after JSON or a database
   * @throws VoxlaneError `format` if it has another form or is inconsistent
   */
  static fromPlain(value: unknown): History {
    const { annotation, done, undone } = checkPlainHistory(value);
    const history = new History(annotation);
    // Copied whole: `push(...done)` would pass each step as an argument, and a call is limited to about 100,000.
    history.#done = [...done];
    history.#undone = [...undone];
    return history;
  }

  get annotation(): Annotation {
    return this.#annotation;
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** The step that {@link undo} would undo; null if there is none. */
  get stepToUndo(): HistoryStep | null {
    return this.#done.at(-1) ?? null;
  }

  /** The step that {@link redo} would redo; null if there is none. */
  get stepToRedo(): HistoryStep | null {
    return this.#undone.at(-1) ?? null;
  }

  /** Type of the edit that {@link undo} would undo; null if there is none. */
  get nextUndo(): Edit['type'] | null {
    return this.#done.at(-1)?.type ?? null;
  }

  /** Type of the edit that {@link redo} would redo; null if there is none. */
  get nextRedo(): Edit['type'] | null {
    return this.#undone.at(-1)?.type ?? null;
  }

  /**
   * Applies a correction and clears the redo steps. An edit that changes nothing is not recorded.
   *
   * @returns whether anything changed
   * @throws VoxlaneError `options` for an invalid edit (see `applyEdit`), which changes nothing
   */
  apply(edit: Edit): boolean {
    const next = applyEdit(this.#annotation, edit);
    if (next === this.#annotation) return false;
    this.#done.push({ type: edit.type, patch: patchBetween(this.#annotation, next) });
    this.#undone.length = 0;
    this.#annotation = next;
    return true;
  }

  /** @returns whether there was anything to undo */
  undo(): boolean {
    const step = this.#done.pop();
    if (!step) return false;
    this.#annotation = applyPatch(this.#annotation, inverse(step.patch));
    this.#undone.push(step);
    return true;
  }

  /** @returns whether there was anything to redo */
  redo(): boolean {
    const step = this.#undone.pop();
    if (!step) return false;
    this.#annotation = applyPatch(this.#annotation, step.patch);
    this.#done.push(step);
    return true;
  }

  /** The same corrections for a recording whose duration has grown. */
  lengthened(durationSeconds: number): History {
    const history = new History({ ...this.#annotation, durationSeconds });
    history.#done = [...this.#done];
    history.#undone = [...this.#undone];
    return history;
  }

  /** The history as plain data, for JSON and databases. Shares the objects of the annotation, which are immutable. */
  toPlain(): PlainHistory {
    return { version: 2, annotation: this.#annotation, done: [...this.#done], undone: [...this.#undone] };
  }
}
