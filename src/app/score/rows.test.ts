import { describe, expect, it } from 'vitest';
import type { Annotation } from '../../editing/annotation';
import { evaluate } from '../../score/score';
import type { Turn } from '../../timeline/turns';
import { marksOf, PARTS, partsOf, renamesOf, speakerRows, turnOf } from './results';

const turn = (startSeconds: number, endSeconds: number, speaker: string): Turn => ({ startSeconds, endSeconds, speaker });

const turns = [turn(0, 10, 'S0'), turn(10, 19, 'S1'), turn(19, 20, 'S0'), turn(30, 32, 'S2')];
const annotation: Annotation = {
  durationSeconds: 60,
  speakers: [
    { id: 'S0', name: null, color: 0 },
    { id: 'S1', name: 'Ben', color: 1 },
    { id: 'S2', name: null, color: 2 },
  ],
  turns: turns.map((one, id) => ({ ...one, id, isCorrected: false })),
  exclusiveHints: [],
  nextId: 4,
};
const evaluation = evaluate([turn(0, 10, 'Anna'), turn(10, 20, 'Ben'), turn(40, 44, 'Cleo')], turns);

describe('the content of the score panel', () => {
  it('has a row for each speaker of either side', () => {
    expect(speakerRows(evaluation)).toEqual([
      { reference: 'Anna', speaker: 'S0', speechSeconds: 10, lostSeconds: 0, addedSeconds: 1, jaccardError: 1 / 11 },
      { reference: 'Ben', speaker: 'S1', speechSeconds: 10, lostSeconds: 1, addedSeconds: 0, jaccardError: 0.1 },
      { reference: 'Cleo', speaker: null, speechSeconds: 4, lostSeconds: 4, addedSeconds: 0, jaccardError: 1 },
      { reference: null, speaker: 'S2', speechSeconds: 0, lostSeconds: 0, addedSeconds: 2, jaccardError: null },
    ]);
  });

  it('has parts that add up to the speech of the reference and the false alarms', () => {
    const parts = partsOf(evaluation);
    const sum = PARTS.reduce((seconds, part) => seconds + parts[part], 0);
    expect(sum).toBeCloseTo(evaluation.score.total + evaluation.score.falseAlarm, 9);
    expect(parts).toEqual({ correct: 19, missed: 4, confusion: 1, 'false-alarm': 2 });
  });

  it('renames mapped speakers with a different name', () => {
    expect(renamesOf(annotation, evaluation)).toEqual([{ type: 'rename-speaker', speaker: 'S0', name: 'Anna' }]);
  });

  it('marks an error on the track of the wrong speaker, and missed speech on all tracks', () => {
    expect(marksOf(evaluation.errors)).toEqual([
      { kind: 'confusion', startSeconds: 19, endSeconds: 20, speaker: 'S0' },
      { kind: 'false-alarm', startSeconds: 30, endSeconds: 32, speaker: 'S2' },
      { kind: 'missed', startSeconds: 40, endSeconds: 44, speaker: null },
    ]);
  });

  it('finds the turn of an error', () => {
    expect(evaluation.errors.map((error) => turnOf(annotation, error)?.id ?? null)).toEqual([2, 3, null]);
    // Of two turns, the one that covers more of it.
    const split = { ...annotation, turns: [{ ...turn(0, 3, 'S0'), id: 7, isCorrected: false }, { ...turn(3, 10, 'S0'), id: 8, isCorrected: true }] };
    expect(turnOf(split, { kind: 'false-alarm', startSeconds: 2, endSeconds: 6, reference: null, hypothesis: 'S0' })?.id).toBe(8);
  });
});
