import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../util/errors';
import type { Annotation } from './annotation';
import { annotationOf } from './annotationOf';
import { exclusiveOf } from './exclusive';
import { History } from './history';
import { compareTurns } from './order';
import { aThrow, editFor, fraction, type Throw } from '../../test/editing/randomEdits';
import { longAnnotation, syntheticResult } from '../../test/editing/synthetic';
import { SHORTEST_TURN_SECONDS } from './applyEdit';

const EDITS = 200;

function startFrom(seed: number): Annotation {
  const { turns, exclusiveTurns } = syntheticResult(seed, 40);
  return annotationOf(turns, exclusiveTurns, [], 6);
}

/** Whether the edit was applied. An invalid edit must change nothing; other errors fail the test. */
function tryEdit(history: History, one: Throw): boolean {
  const before = history.annotation;
  try {
    return history.apply(editFor(before, one));
  } catch (error) {
    expect(error).toBeInstanceOf(VoxlaneError);
    expect((error as VoxlaneError).code).toBe('options');
    expect(history.annotation).toBe(before);
    return false;
  }
}

/** Applies random edits until 200 have succeeded; calls `between` after each. */
function editMany(history: History, throws: readonly Throw[], between: () => History): History {
  let applied = 0;
  let current = history;
  for (let round = 0; applied < EDITS; round++) {
    const { kind, first, second, third } = throws[round % throws.length]!;
    // After all throws are used, they repeat and would only undo each other, so shift their values.
    const turned = (value: number): number => (value + Math.floor(round / throws.length) * 0.618) % 1;
    if (!tryEdit(current, { kind: turned(kind), first: turned(first), second: turned(second), third: turned(third) })) continue;
    applied++;
    current = between();
  }
  return current;
}

const throws = fc.array(aThrow, { minLength: EDITS, maxLength: EDITS });
const RUNS = { numRuns: 8 };
/** A reload reads and writes the whole history, so each run takes a second. */
const RELOADED_RUNS = { numRuns: 3 };

describe('History', () => {
  it('undoes and redoes 200 random edits exactly', () => {
    fc.assert(
      fc.property(fc.integer(), throws, (seed, thrown) => {
        const history = new History(startFrom(seed));
        const states = [JSON.stringify(history.annotation)];
        editMany(history, thrown, () => {
          states.push(JSON.stringify(history.annotation));
          return history;
        });
        expect(states).toHaveLength(EDITS + 1);
        for (const state of states.slice(0, -1).reverse()) {
          expect(history.undo()).toBe(true);
          expect(JSON.stringify(history.annotation)).toBe(state);
        }
        expect(history.undo()).toBe(false);
        for (const state of states.slice(1)) {
          expect(history.redo()).toBe(true);
          expect(JSON.stringify(history.annotation)).toBe(state);
        }
        expect(history.redo()).toBe(false);
      }),
      RUNS,
    );
  });

  it('loses nothing if it is reloaded at any time', () => {
    fc.assert(
      fc.property(fc.integer(), throws, fc.array(fraction, { minLength: 17, maxLength: 17 }), (seed, thrown, chances) => {
        let history = new History(startFrom(seed));
        let step = 0;
        const maybeReload = (): History => {
          if (chances[step++ % chances.length]! > 0.1) return history;
          const text = JSON.stringify(history.toPlain());
          history = History.fromPlain(JSON.parse(text));
          expect(JSON.stringify(history.toPlain())).toBe(text);
          return history;
        };
        const states = [JSON.stringify(history.annotation)];
        editMany(history, thrown, () => {
          states.push(JSON.stringify(history.annotation));
          return maybeReload();
        });
        for (const state of states.slice(0, -1).reverse()) {
          maybeReload().undo();
          expect(JSON.stringify(history.annotation)).toBe(state);
        }
        for (const state of states.slice(1)) {
          maybeReload().redo();
          expect(JSON.stringify(history.annotation)).toBe(state);
        }
      }),
      RELOADED_RUNS,
    );
  });

  it('keeps the annotation consistent after every edit', () => {
    fc.assert(
      fc.property(fc.integer(), throws, (seed, thrown) => {
        const history = new History(startFrom(seed));
        const { annotation } = history;
        const lastSeconds = annotation.turns.reduce((last, turn) => Math.max(last, turn.endSeconds), annotation.durationSeconds);
        editMany(history, thrown, () => {
          expectSound(history.annotation, lastSeconds);
          return history;
        });
      }),
      RUNS,
    );
  });

  it('redoes nothing after a new edit, and ignores an edit that changes nothing', () => {
    const history = new History(startFrom(3));
    const speaker = history.annotation.speakers[0]!.id;
    expect(history.apply({ type: 'rename-speaker', speaker, name: 'Anna' })).toBe(true);
    expect(history.apply({ type: 'rename-speaker', speaker, name: ' Anna ' })).toBe(false);
    expect(history.nextUndo).toBe('rename-speaker');
    history.undo();
    expect([history.canUndo, history.nextUndo, history.canRedo, history.nextRedo]).toEqual([false, null, true, 'rename-speaker']);
    history.apply({ type: 'add-speaker', name: null });
    expect(history.canRedo).toBe(false);
  });

  it('undoes changes of the confidence kind and of the next label', () => {
    const history = new History(startFrom(3));
    const [first, second] = history.annotation.speakers.map(({ id }) => id);
    history.apply({ type: 'replace', annotation: { ...history.annotation, confidenceKind: 'margin' } });
    history.apply({ type: 'merge-speakers', from: first!, into: second! });
    expect(history.annotation).toMatchObject({ confidenceKind: 'margin', nextLabel: 1 });
    const reloaded = History.fromPlain(JSON.parse(JSON.stringify(history.toPlain())));
    reloaded.undo();
    expect(reloaded.annotation.confidenceKind).toBe('margin');
    expect(reloaded.annotation).not.toHaveProperty('nextLabel');
    reloaded.undo();
    expect(reloaded.annotation).not.toHaveProperty('confidenceKind');
  });

  it('stores only changes, for three hours of turns', () => {
    const history = new History(longAnnotation(8000));
    const bytesBefore = JSON.stringify(history.toPlain()).length;
    const turn = history.annotation.turns[4000]!;
    for (let step = 0; step < 100; step++) {
      history.apply({ type: 'move-turn', turn: turn.id, startSeconds: turn.startSeconds, endSeconds: turn.endSeconds - 0.001 * (step + 1) });
    }
    expect(JSON.stringify(history.toPlain()).length - bytesBefore).toBeLessThan(100 * 700);
  });

  it('reads a history of earlier releases, which spelled colors in British English', () => {
    const history = new History(startFrom(6));
    const [first, second] = history.annotation.speakers;
    history.apply({ type: 'recolor-speaker', speaker: first!.id, color: 7 });
    history.apply({ type: 'recolor-speaker', speaker: second!.id, color: 9 });
    history.undo();
    const text = JSON.stringify(history.toPlain()).replaceAll('"color":', '"colour":').replaceAll('recolor-', 'recolour-');
    const former = { ...(JSON.parse(text) as object), version: 1 };
    const read = History.fromPlain(former);
    expect(read.toPlain()).toEqual(history.toPlain());
    read.redo();
    expect(read.annotation.speakers[1]!.color).toBe(9);
  });

  it.each([
    [null, /version|value/],
    [{ version: 1 }, /annotation/],
    [{ version: 2 }, /annotation/],
    [{ version: 3 }, /version/],
    [{ version: 1, annotation: null, done: [null], undone: 4 }, /annotation/],
    [(plain: Plain) => ({ ...plain, annotation: { ...plain.annotation, turns: [...plain.annotation.turns].reverse() } }), /out of order/],
    [(plain: Plain) => ({ ...plain, annotation: { ...plain.annotation, speakers: [] } }), /unknown speaker/],
    [(plain: Plain) => ({ ...plain, annotation: { ...plain.annotation, nextId: 2 } }), /not been assigned/],
    [(plain: Plain) => ({ ...plain, done: [...plain.done, ...plain.done] }), /does not follow/],
    [(plain: Plain) => ({ ...plain, annotation: { ...plain.annotation, confidenceKind: 'guess' } }), /confidenceKind/],
    [(plain: Plain) => ({ ...plain, done: plain.done.map((step) => ({ ...step, type: 'explode' })) }), /done\.0\.type/],
  ])('rejects data that it did not write (%#)', (broken, message) => {
    const history = new History(startFrom(5));
    history.apply({ type: 'delete-turn', turn: history.annotation.turns[2]!.id });
    const plain = JSON.parse(JSON.stringify(history.toPlain())) as Plain;
    const value = typeof broken === 'function' ? broken(plain) : broken;
    expect(() => History.fromPlain(value)).toThrow(message);
    expect(() => History.fromPlain(value)).toThrow(VoxlaneError);
    expect(() => History.fromPlain(plain)).not.toThrow();
  });
});

type Plain = ReturnType<History['toPlain']>;

/** Collects faults in a list instead of calling `expect` for each turn, which would take most of the time. */
function expectSound(annotation: Annotation, lastSeconds: number): void {
  const { turns, speakers, nextId } = annotation;
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string): void => {
    if (!isRight) faults.push(fault);
  };
  const known = new Set(speakers.map(({ id }) => id));
  const ids = new Set(turns.map(({ id }) => id));
  check(ids.size === turns.length && known.size === speakers.length, 'ids are not unique');
  const ends = new Map<string, number>();
  turns.forEach((turn, index) => {
    const { id, speaker, startSeconds, endSeconds } = turn;
    check(index === 0 || compareTurns(turns[index - 1]!, turn) < 0, `${id} is out of order`);
    check(known.has(speaker), `${id} has an unknown speaker`);
    check(id < nextId, `${id} has an id that has not been assigned`);
    check(startSeconds >= 0 && endSeconds <= lastSeconds, `${id} extends beyond the recording`);
    check(endSeconds - startSeconds > SHORTEST_TURN_SECONDS - 1e-8, `${id} is too short`);
    check(startSeconds >= (ends.get(speaker) ?? 0), `${id} overlaps with another turn of its speaker`);
    ends.set(speaker, endSeconds);
  });
  // One speaker at a time, and exactly where there is speech.
  let heardSeconds = 0;
  exclusiveOf(annotation).forEach((turn, index, all) => {
    check(index === 0 || turn.startSeconds >= all[index - 1]!.endSeconds, `two exclusive turns overlap at ${turn.startSeconds}`);
    heardSeconds += turn.endSeconds - turn.startSeconds;
  });
  let [speechSeconds, until] = [0, 0];
  for (const { startSeconds, endSeconds } of turns) {
    speechSeconds += Math.max(0, endSeconds - Math.max(until, startSeconds));
    until = Math.max(until, endSeconds);
  }
  check(Math.abs(heardSeconds - speechSeconds) < 1e-9, `exclusive turns cover ${heardSeconds} s of ${speechSeconds} s`);
  expect(faults).toEqual([]);
}
