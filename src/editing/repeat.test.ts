import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import type { Edit } from './annotation';
import { annotationOf } from './annotationOf';
import { applyPatch, History, inverse } from './history';
import { carryOut, repeatAll, type CarriedOut, type HistoryCommand } from './repeat';
import { aThrow, editFor, type Throw } from '../../test/editing/randomEdits';
import { syntheticResult } from '../../test/editing/synthetic';

const turn = (startSeconds: number, endSeconds: number, speaker: string) => ({ startSeconds, endSeconds, speaker });
const START = annotationOf([turn(0, 2, 'SPEAKER_00'), turn(3, 5, 'SPEAKER_01'), turn(6, 9, 'SPEAKER_00')], [], [], 20);

/** The same history in two tabs: the other tab saves `there` first, and this tab has `here` still to save. */
function meet(there: readonly HistoryCommand[], here: readonly HistoryCommand[], start: readonly HistoryCommand[] = []) {
  const history = new History(START);
  for (const command of start) carryOut(history, command);
  const stored = (of: History): History => History.fromPlain(JSON.parse(JSON.stringify(of.toPlain())));
  const other = stored(history);
  const pending = here.map((command) => carryOut(history, command)).filter((done) => done !== null);
  for (const command of there) carryOut(other, command);
  const newest = stored(other);
  const repeated = repeatAll(newest, pending);
  return { newest, other, ...repeated };
}

const edit = (of: Edit): HistoryCommand => ({ type: 'edit', edit: of });
const rename = (speaker: string, name: string): HistoryCommand => edit({ type: 'rename-speaker', speaker, name });
const addSpeaker = (name: string | null): HistoryCommand => edit({ type: 'add-speaker', name });
const namesOf = ({ annotation }: History) => annotation.speakers.map(({ id, name }) => `${id} ${name}`);
const UNDO: HistoryCommand = { type: 'undo' };
const REDO: HistoryCommand = { type: 'redo' };

describe('repeatAll', () => {
  it('repeats edits of unrelated objects', () => {
    const { newest, numRefused } = meet([rename('SPEAKER_00', 'Ann')], [rename('SPEAKER_01', 'Bea'), edit({ type: 'delete-turn', turn: 3 })]);
    expect(numRefused).toBe(0);
    expect(namesOf(newest)).toEqual(['SPEAKER_00 Ann', 'SPEAKER_01 Bea']);
    expect(newest.annotation.turns.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('refuses edits of objects that have changed', () => {
    const { newest, numRefused } = meet(
      [rename('SPEAKER_00', 'Ann'), edit({ type: 'move-turn', turn: 1, startSeconds: 0, endSeconds: 1 }), edit({ type: 'delete-turn', turn: 2 })],
      [rename('SPEAKER_00', 'Eve'), edit({ type: 'assign-turn', turn: 1, speaker: 'SPEAKER_01' }), edit({ type: 'confirm-turn', turn: 2 })],
    );
    expect(numRefused).toBe(3);
    expect(namesOf(newest)).toEqual(['SPEAKER_00 Ann', 'SPEAKER_01 null']);
  });

  it('assigns new ids if both tabs added something', () => {
    const { newest, numRefused } = meet(
      [addSpeaker('Ann'), edit({ type: 'add-turn', speaker: 'SPEAKER_02', startSeconds: 10, endSeconds: 11 })],
      [
        addSpeaker(null),
        rename('SPEAKER_02', 'Bea'),
        edit({ type: 'add-turn', speaker: 'SPEAKER_02', startSeconds: 12, endSeconds: 14 }),
        edit({ type: 'split-turn', turn: 4, atSeconds: 13 }),
        edit({ type: 'delete-turn', turn: 5 }),
      ],
    );
    expect(numRefused).toBe(0);
    expect(namesOf(newest).slice(2)).toEqual(['SPEAKER_02 Ann', 'SPEAKER_03 Bea']);
    expect(newest.annotation.turns.slice(3)).toMatchObject([turn(10, 11, 'SPEAKER_02'), turn(12, 13, 'SPEAKER_03')]);
  });

  it('refuses edits that depend on a refused edit', () => {
    const { newest, numRefused } = meet(
      [edit({ type: 'delete-turn', turn: 3 }), edit({ type: 'add-turn', speaker: 'SPEAKER_00', startSeconds: 7.5, endSeconds: 9 })],
      [edit({ type: 'split-turn', turn: 3, atSeconds: 7.5 }), edit({ type: 'assign-turn', turn: 4, speaker: 'SPEAKER_01' })],
    );
    // The id of the second half belongs to the other tab's turn, which even has the same times.
    expect(numRefused).toBe(2);
    expect(newest.annotation.turns.at(-1)).toMatchObject({ id: 4, ...turn(7.5, 9, 'SPEAKER_00') });
  });

  it('undoes only the step that was the last one in this tab', () => {
    const start = [rename('SPEAKER_00', 'Ann')];
    expect(meet([], [UNDO], start)).toMatchObject({ numRefused: 0, newest: { canUndo: false } });
    const { newest, numRefused } = meet([rename('SPEAKER_01', 'Bea')], [UNDO], start);
    expect([numRefused, namesOf(newest)]).toEqual([1, ['SPEAKER_00 Ann', 'SPEAKER_01 Bea']]);
    expect(meet([UNDO], [UNDO], start).numRefused).toBe(1);
    expect(meet([rename('SPEAKER_01', 'Bea')], [REDO], [...start, UNDO]).numRefused).toBe(1);
  });

  it('undoes and redoes its own edits on top of the other tab’s', () => {
    const { newest, numRefused } = meet([rename('SPEAKER_00', 'Ann')], [rename('SPEAKER_01', 'Bea'), UNDO, REDO, addSpeaker('Cat'), UNDO]);
    expect(numRefused).toBe(0);
    expect(namesOf(newest)).toEqual(['SPEAKER_00 Ann', 'SPEAKER_01 Bea']);
    expect(newest.nextRedo).toBe('add-speaker');
  });

  it('replaces everything only if nothing else has changed', () => {
    const replace = edit({ type: 'replace', annotation: { ...START, turns: START.turns.slice(1) } });
    expect(meet([], [replace]).newest.annotation.turns).toHaveLength(2);
    const { newest, numRefused } = meet([rename('SPEAKER_00', 'Ann')], [replace]);
    expect([numRefused, newest.annotation.turns.length]).toEqual([1, 3]);
  });

  it('keeps all changes of the other tab, whatever both tabs did', () => {
    const commands = fc.array(fc.oneof({ weight: 6, arbitrary: aThrow }, { weight: 1, arbitrary: fc.constantFrom(UNDO, REDO) }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.nat(), commands, commands, commands, (seed, start, there, here) => {
        const { turns, exclusiveTurns } = syntheticResult(seed, 20);
        const history = new History(annotationOf(turns, exclusiveTurns, [], 4));
        carryOutAll(history, start);
        const other = copyOf(history);
        const pending = carryOutAll(history, here);
        const alone = copyOf(other);
        expect(repeatAll(alone, pending)).toMatchObject({ numRefused: 0 });
        // Nothing changed in the meantime, so the result must be identical.
        expect(JSON.stringify(alone.annotation)).toBe(JSON.stringify(history.annotation));
        expect([alone.nextUndo, alone.nextRedo]).toEqual([history.nextUndo, history.nextRedo]);
        carryOutAll(other, there);
        const newest = copyOf(other);
        const { carriedOut, numRefused } = repeatAll(newest, pending);
        expect(carriedOut.length + numRefused).toBeLessThanOrEqual(pending.length);
        // Undoing the repeated commands restores the state of the other tab.
        const before = carriedOut.reduceRight(
          (annotation, { command, step }) => applyPatch(annotation, command.type === 'undo' ? step.patch : inverse(step.patch)),
          newest.annotation,
        );
        expect(JSON.stringify(before)).toBe(JSON.stringify(other.annotation));
      }),
      { numRuns: 60 },
    );
  });
});

function copyOf(history: History): History {
  return History.fromPlain(JSON.parse(JSON.stringify(history.toPlain())));
}

function carryOutAll(history: History, commands: readonly (Throw | HistoryCommand)[]): CarriedOut[] {
  return commands.flatMap((one): CarriedOut[] => {
    try {
      const done = carryOut(history, 'type' in one ? one : edit(editFor(history.annotation, one)));
      return done ? [done] : [];
    } catch (error) {
      // Some random edits are invalid.
      expect(error).toBeInstanceOf(VoxlaneError);
      return [];
    }
  });
}
