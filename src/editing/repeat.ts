import { VoxlaneError } from '../util/errors';
import type { Annotation, AnnotationSpeaker, Edit, EditableTurn } from './annotation';
import { nextSpeakerId } from './applyEdit';
import type { History, HistoryStep } from './history';
import { turnById } from './turnLookup';

/** One step forward or back in a {@link History}. */
export type HistoryCommand = { readonly type: 'edit'; readonly edit: Edit } | { readonly type: 'undo' } | { readonly type: 'redo' };

/** A command that changed a history, with what {@link repeatAll} needs to repeat it on another state of that history. */
export interface CarriedOut {
  readonly command: HistoryCommand;
  /** The step that was added, undone or redone. */
  readonly step: HistoryStep;
  /** The turn and the speaker that the edit refers to, before the edit. */
  readonly turn: EditableTurn | null;
  readonly speaker: AnnotationSpeaker | null;
  /** Ids of objects that the edit created; null if it created none. */
  readonly madeTurn: number | null;
  readonly madeSpeaker: string | null;
  /** For a `replace` edit: the annotation that was replaced. */
  readonly replaced: Annotation | null;
}

/**
 * Carries out one command.
 *
 * @returns null if it changed nothing
 * @throws VoxlaneError `options` for an invalid edit, which changes nothing
 */
export function carryOut(history: History, command: HistoryCommand): CarriedOut | null {
  const nothing = { turn: null, speaker: null, madeTurn: null, madeSpeaker: null, replaced: null };
  if (command.type !== 'edit') {
    const step = command.type === 'undo' ? history.stepToUndo : history.stepToRedo;
    if (!step) return null;
    if (command.type === 'undo') history.undo();
    else history.redo();
    return { command, step, ...nothing };
  }
  const { edit } = command;
  const before = history.annotation;
  const turn = 'turn' in edit ? turnById(before.turns, edit.turn) : null;
  if (!history.apply(edit)) return null;
  return {
    command,
    step: history.stepToUndo!,
    turn,
    speaker: 'speaker' in edit ? (before.speakers.find(({ id }) => id === edit.speaker) ?? null) : null,
    madeTurn: edit.type === 'add-turn' || edit.type === 'split-turn' ? before.nextId : null,
    madeSpeaker: edit.type === 'add-speaker' ? nextSpeakerId(before) : null,
    replaced: edit.type === 'replace' ? before : null,
  };
}

/** The result of {@link repeatAll}. */
interface Repeated {
  /** Commands that changed the history, as they were carried out on it. */
  readonly carriedOut: readonly CarriedOut[];
  /** Number of commands that no longer apply because their objects have changed. These changed nothing. */
  readonly numRefused: number;
}

/**
 * Repeats commands from an earlier state of a history on its current state, which another tab has
 * changed in the meantime.
 *
 * A command is repeated only if its object is unchanged: the turn has the same times and speaker, the speaker the
 * same name or color, and the step to undo or redo is the same. Ids of created objects are replaced with the new
 * ids, because the other tab may have assigned the same ids to something else.
 */
export function repeatAll(history: History, commands: readonly CarriedOut[]): Repeated {
  const turnIds = new Map<number, number | null>();
  const speakerIds = new Map<string, string | null>();
  const steps = new Map<HistoryStep, HistoryStep>();
  const carriedOut: CarriedOut[] = [];
  let numRefused = 0;
  for (const before of commands) {
    const outcome = repeatOne(history, before, { turnIds, speakerIds, steps });
    if (before.madeTurn !== null) turnIds.set(before.madeTurn, outcome === 'refused' ? null : (outcome?.madeTurn ?? null));
    if (before.madeSpeaker !== null) speakerIds.set(before.madeSpeaker, outcome === 'refused' ? null : (outcome?.madeSpeaker ?? null));
    if (outcome === 'refused') {
      numRefused += 1;
      continue;
    }
    // Null: the other tab has already made the same change.
    if (!outcome) continue;
    steps.set(before.step, outcome.step);
    carriedOut.push(outcome);
  }
  return { carriedOut, numRefused };
}

interface Renamed {
  readonly turnIds: ReadonlyMap<number, number | null>;
  readonly speakerIds: ReadonlyMap<string, string | null>;
  readonly steps: ReadonlyMap<HistoryStep, HistoryStep>;
}

function repeatOne(history: History, before: CarriedOut, renamed: Renamed): CarriedOut | null | 'refused' {
  const { command } = before;
  if (command.type !== 'edit') {
    const expected = renamed.steps.get(before.step) ?? before.step;
    const next = command.type === 'undo' ? history.stepToUndo : history.stepToRedo;
    return next && isSameStep(next, expected) ? carryOut(history, command) : 'refused';
  }
  const edit = withIds(command.edit, renamed);
  if (!edit || !isAsBefore(history.annotation, edit, before, renamed)) return 'refused';
  try {
    return carryOut(history, { type: 'edit', edit });
  } catch (thrown) {
    if (thrown instanceof VoxlaneError) return 'refused';
    throw thrown;
  }
}

/** The edit with the current ids of its turn and speakers; null if one of them does not exist. */
function withIds(edit: Edit, { turnIds, speakerIds }: Renamed): Edit | null {
  const next: Record<string, unknown> = { ...edit };
  for (const [key, ids] of [['turn', turnIds], ['speaker', speakerIds], ['from', speakerIds], ['into', speakerIds]] as const) {
    const id = next[key] as never;
    if (!(key in edit) || !ids.has(id)) continue;
    const now = ids.get(id);
    if (now === null || now === undefined) return null;
    next[key] = now;
  }
  return next as unknown as Edit;
}

/** Whether the objects that the edit refers to are unchanged. */
function isAsBefore(now: Annotation, edit: Edit, before: CarriedOut, { speakerIds }: Renamed): boolean {
  if (edit.type === 'replace') return JSON.stringify(before.replaced) === JSON.stringify(now);
  if ('turn' in edit) {
    const [old, turn] = [before.turn, turnById(now.turns, edit.turn)];
    if (!old || !turn) return false;
    const speaker = speakerIds.get(old.speaker) ?? old.speaker;
    return turn.startSeconds === old.startSeconds && turn.endSeconds === old.endSeconds && turn.speaker === speaker;
  }
  if (edit.type !== 'rename-speaker' && edit.type !== 'recolor-speaker') return true;
  const speaker = now.speakers.find(({ id }) => id === edit.speaker);
  return edit.type === 'rename-speaker' ? speaker?.name === before.speaker?.name : speaker?.color === before.speaker?.color;
}

/** Compares by content, because a step that was stored and read again is another object. */
function isSameStep(one: HistoryStep, other: HistoryStep): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
