import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import type { Annotation } from './annotation';
import type { HistoryStep } from './history';
import { compareTurns } from './order';
import { applyPatch, areSameFacts, inverse, type Patch } from './patch';

/** A `History` as plain data. */
export interface PlainHistory {
  /** Of this form; another release may write another one. */
  readonly version: 1;
  readonly annotation: Annotation;
  readonly done: readonly HistoryStep[];
  readonly undone: readonly HistoryStep[];
}

const seconds = v.pipe(v.number(), v.finite());
const index = v.pipe(v.number(), v.integer(), v.minValue(0));
const stretch = { startSeconds: seconds, endSeconds: seconds, speaker: v.string() };
const confidence = v.nullable(seconds);

const editableTurn = v.object({ id: index, ...stretch, confidence: v.exactOptional(confidence), isCorrected: v.boolean() });
const turn = v.object({ ...stretch, confidence: v.exactOptional(confidence) });
const speaker = v.object({ id: v.string(), name: v.nullable(v.string()), colour: index });

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
    'recolour-speaker',
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

const historySchema = v.object({ version: v.literal(1), annotation: annotationSchema, done: v.array(step), undone: v.array(step) });

/**
 * Checks the form of a history that was kept, that its annotation is sound, and that every step of it can be undone and
 * redone.
 *
 * @returns `value` itself, so that nothing of it is lost on the way
 * @throws VoxlaneError `format`
 */
export function checkPlainHistory(value: unknown): PlainHistory {
  const { issues } = v.safeParse(historySchema, value);
  if (issues) throw unreadable(`${v.getDotPath(issues[0]) ?? 'it'}: ${describeIssue(issues[0])}`);
  const history = value as PlainHistory;
  checkAnnotation(history.annotation);
  checkSteps(history.annotation, history.done.map(({ patch }) => inverse(patch)).reverse());
  checkSteps(history.annotation, history.undone.map(({ patch }) => patch).reverse());
  return history;
}

function checkAnnotation({ speakers, turns, nextId }: Annotation): void {
  const ids = new Set(speakers.map(({ id }) => id));
  if (ids.size < speakers.length) throw unreadable('two speakers have one id');
  turns.forEach((turn, at) => {
    const before = turns[at - 1];
    if (before && compareTurns(before, turn) >= 0) throw unreadable(`turn ${turn.id} is out of order`);
    if (!ids.has(turn.speaker)) throw unreadable(`turn ${turn.id} is of ${turn.speaker}, who is no speaker`);
    if (!(turn.startSeconds < turn.endSeconds)) throw unreadable(`turn ${turn.id} ends before it starts`);
    if (turn.id >= nextId) throw unreadable(`turn ${turn.id} has an id that is still to be given`);
  });
  if (new Set(turns.map(({ id }) => id)).size < turns.length) throw unreadable('two turns have one id');
}

/**
 * Follows the ids only: to apply every patch to all turns would take seconds after thousands of edits.
 *
 * @param patches in the order in which they would be applied to `annotation`
 */
function checkSteps(annotation: Annotation, patches: readonly Patch[]): void {
  const ids = new Set(annotation.turns.map(({ id }) => id));
  // Speakers are few. Without turns this follows them, the hints, the next id and the facts.
  let rest: Annotation = { ...annotation, turns: [] };
  for (const patch of patches) {
    const { turns, speakers, exclusiveHints, nextId } = patch;
    const fits =
      turns.before.every(({ id }) => ids.delete(id)) &&
      turns.after.every(({ id }) => !ids.has(id) && ids.add(id)) &&
      speakers.index + speakers.before.length <= rest.speakers.length &&
      exclusiveHints.index + exclusiveHints.before.length <= rest.exclusiveHints.length &&
      nextId.before === rest.nextId &&
      (!patch.facts || areSameFacts(patch.facts.before, rest));
    if (!fits) throw unreadable('a step of it does not follow from the one before');
    rest = applyPatch(rest, { ...patch, turns: { before: [], after: [] } });
  }
}

function unreadable(what: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `The kept corrections cannot be read: ${what}`,
    expected: 'what this release of the page wrote',
    remedy: 'Start from the result again',
  });
}
