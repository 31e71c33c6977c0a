import { describe, expect, it } from 'vitest';
import type { Annotation, Edit } from './annotation';
import { annotationOf, type TurnSource } from './annotationOf';
import { applyEdit, nextSpeakerId } from './applyEdit';

/** Turns as `start-end speaker`, with an exclamation mark if corrected. */
const shown = ({ turns }: Annotation): string[] =>
  turns.map(({ startSeconds, endSeconds, speaker, isCorrected }) => `${startSeconds}-${endSeconds} ${speaker}${isCorrected ? '!' : ''}`);

function parsed(text: string): TurnSource {
  const [, start, end, speaker, mark] = /^([\d.]+)-([\d.]+) (\w+)(!?)$/.exec(text)!;
  return { startSeconds: Number(start), endSeconds: Number(end), speaker: speaker!, confidence: 0.5, isCorrected: mark === '!' };
}

const start = (...turns: string[]): Annotation => annotationOf(turns.map(parsed), [], [], 100);

/** The annotation after an edit of the given turns. */
function after(turns: string[], edit: (ids: number[]) => Edit): Annotation {
  const annotation = start(...turns);
  return applyEdit(annotation, edit(annotation.turns.map(({ id }) => id)));
}

describe('annotationOf', () => {
  it('sorts, numbers from 1, joins overlapping turns of one speaker, and omits turns without length', () => {
    const annotation = start('5-9 b', '0-4 a', '4-6 a', '5.5-8 a', '7-7 c');
    expect(shown(annotation)).toEqual(['0-4 a', '4-8 a', '5-9 b']);
    expect(annotation.turns.every(({ id }) => id >= 1 && id < annotation.nextId)).toBe(true);
    expect(annotation.speakers.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('keeps the order, names and colors of the speakers, and assigns free colors to the others', () => {
    const sources = [{ label: 'b' }, { label: 'x', name: 'Xaver', color: 0 }];
    expect(annotationOf([parsed('0-1 a'), parsed('2-3 b')], [], sources, 9).speakers).toEqual([
      { id: 'b', name: null, color: 1 },
      { id: 'x', name: 'Xaver', color: 0 },
      { id: 'a', name: null, color: 2 },
    ]);
  });
});

describe('applyEdit: turns', () => {
  it('joins a moved turn with turns of its speaker that it overlaps or an edge touches', () => {
    const turns = ['0-2 a', '3-5 a', '4-9 b', '7-8 a'];
    const move = (startSeconds: number, endSeconds: number) =>
      shown(after(turns, (ids) => ({ type: 'move-turn', turn: ids[1]!, startSeconds, endSeconds })));
    expect(move(3, 6)).toEqual(['0-2 a', '3-6 a!', '4-9 b', '7-8 a']);
    expect(move(2, 5)).toEqual(['0-5 a!', '4-9 b', '7-8 a']);
    expect(move(2.0005, 5)).toEqual(['0-5 a!', '4-9 b', '7-8 a']);
    expect(move(1, 7.5)).toEqual(['0-8 a!', '4-9 b']);
  });

  it('keeps the id of the edited turn', () => {
    const annotation = after(['0-2 a', '3-5 a'], (ids) => ({ type: 'move-turn', turn: ids[1]!, startSeconds: 1, endSeconds: 5 }));
    expect(annotation.turns).toMatchObject([{ id: 2, startSeconds: 0, endSeconds: 5 }]);
  });

  it('splits a turn, and keeps the halves separate until an edge of the other half is set', () => {
    const halves = after(['0-10 a', '20-30 a'], (ids) => ({ type: 'split-turn', turn: ids[0]!, atSeconds: 4 }));
    expect(shown(halves)).toEqual(['0-4 a', '4-10 a', '20-30 a']);
    const [first, second] = halves.turns.map(({ id }) => id);
    const longer = applyEdit(halves, { type: 'move-turn', turn: second!, startSeconds: 4, endSeconds: 12 });
    expect(shown(longer)).toEqual(['0-4 a', '4-12 a!', '20-30 a']);
    const apart = applyEdit(longer, { type: 'move-turn', turn: first!, startSeconds: 0, endSeconds: 3 });
    expect(shown(applyEdit(apart, { type: 'move-turn', turn: first!, startSeconds: 0, endSeconds: 4 }))).toEqual(['0-12 a!', '20-30 a']);
  });

  it('joins turns that an assignment or a new turn connects', () => {
    expect(shown(after(['0-4 a', '4-6 b', '6-9 a'], (ids) => ({ type: 'assign-turn', turn: ids[1]!, speaker: 'a' })))).toEqual(['0-9 a!']);
    expect(shown(after(['0-4 a', '4-6 b'], () => ({ type: 'add-turn', speaker: 'a', startSeconds: 3, endSeconds: 5 })))).toEqual(['0-5 a!', '4-6 b']);
    // A new turn that only touches others stays separate.
    expect(shown(after(['0-4 a', '6-8 a'], () => ({ type: 'add-turn', speaker: 'a', startSeconds: 4, endSeconds: 6 })))).toEqual(['0-4 a', '4-6 a!', '6-8 a']);
  });

  it('clears the confidence of an assigned or added turn, and averages that of joined turns', () => {
    const assigned = after(['0-1 a', '2-3 b'], (ids) => ({ type: 'assign-turn', turn: ids[0]!, speaker: 'b' }));
    expect(assigned.turns[0]!.confidence).toBe(null);
    const joined = after(['0-1 a', '2-3 a'], (ids) => ({ type: 'move-turn', turn: ids[0]!, startSeconds: 0, endSeconds: 2 }));
    expect(joined.turns[0]!.confidence).toBe(0.5);
  });

  it('confirms a turn, also by assigning it to its own speaker', () => {
    expect(shown(after(['0-1 a'], (ids) => ({ type: 'confirm-turn', turn: ids[0]! })))).toEqual(['0-1 a!']);
    expect(shown(after(['0-1 a'], (ids) => ({ type: 'assign-turn', turn: ids[0]!, speaker: 'a' })))).toEqual(['0-1 a!']);
  });

  it('shares unchanged objects', () => {
    const annotation = start('0-1 a', '2-3 b', '4-5 a');
    const next = applyEdit(annotation, { type: 'delete-turn', turn: annotation.turns[1]!.id });
    expect(next.turns[0]).toBe(annotation.turns[0]);
    expect(next.turns[1]).toBe(annotation.turns[2]);
    expect(next.speakers).toBe(annotation.speakers);
    const { id, startSeconds, endSeconds } = annotation.turns[0]!;
    expect(applyEdit(annotation, { type: 'move-turn', turn: id, startSeconds, endSeconds })).toBe(annotation);
  });

  it('moves a turn that ends in the padding after the last sample', () => {
    const annotation = annotationOf([parsed('8-10.02 a')], [], [], 10);
    const edit = { type: 'move-turn', turn: annotation.turns[0]!.id, startSeconds: 7, endSeconds: 10.02 } as const;
    expect(shown(applyEdit(annotation, edit))).toEqual(['7-10.02 a!']);
  });
});

describe('applyEdit: speakers', () => {
  it('merges two speakers', () => {
    const turns = ['0-4 a', '3-6 b!', '6-7 b', '8-9 c', '9.5-10 b!'];
    const merged = after(turns, () => ({ type: 'merge-speakers', from: 'b', into: 'a' }));
    // Overlapping turns are joined and are corrected only if all parts were; adjacent turns of b stay separate.
    expect(shown(merged)).toEqual(['0-6 a', '6-7 a', '8-9 c', '9.5-10 a!']);
    expect(merged.speakers.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(shown(after(['0-4 a', '4-6 b', '6-9 a'], () => ({ type: 'merge-speakers', from: 'a', into: 'b' })))).toEqual(['0-9 b']);
  });

  it('adds a speaker with an unused label and color', () => {
    const hints = [{ startSeconds: 0, endSeconds: 1, speaker: 'SPEAKER_04' }];
    const annotation = annotationOf([parsed('0-1 SPEAKER_00')], hints, [{ label: 'SPEAKER_00', color: 1 }], 9);
    expect(nextSpeakerId(annotation)).toBe('SPEAKER_05');
    const { speakers } = applyEdit(annotation, { type: 'add-speaker', name: '  Dr   Who ' });
    expect(speakers[1]).toEqual({ id: 'SPEAKER_05', name: 'Dr Who', color: 0 });
  });

  it('does not reuse the label of a merged or removed speaker', () => {
    const annotation = annotationOf([parsed('0-1 SPEAKER_00'), parsed('2-3 SPEAKER_01')], [], [{ label: 'SPEAKER_02' }], 9);
    expect(nextSpeakerId(annotation)).toBe('SPEAKER_03');
    const removed = applyEdit(annotation, { type: 'remove-speaker', speaker: 'SPEAKER_02' });
    expect(nextSpeakerId(removed)).toBe('SPEAKER_03');
    expect(nextSpeakerId(applyEdit(removed, { type: 'merge-speakers', from: 'SPEAKER_01', into: 'SPEAKER_00' }))).toBe('SPEAKER_03');
  });

  it('renames and recolors, and treats an empty name as no name', () => {
    const named = after(['0-1 a'], () => ({ type: 'rename-speaker', speaker: 'a', name: 'Anna' }));
    expect(named.speakers).toEqual([{ id: 'a', name: 'Anna', color: 0 }]);
    expect(applyEdit(named, { type: 'rename-speaker', speaker: 'a', name: ' ' }).speakers[0]!.name).toBe(null);
    expect(applyEdit(named, { type: 'recolor-speaker', speaker: 'a', color: 5 }).speakers[0]!.color).toBe(5);
  });

  it('removes a speaker without turns', () => {
    const annotation = applyEdit(start('0-1 a', '2-3 b'), { type: 'delete-turn', turn: 2 });
    expect(applyEdit(annotation, { type: 'remove-speaker', speaker: 'b' }).speakers.map(({ id }) => id)).toEqual(['a']);
  });
});

describe('applyEdit: replace', () => {
  it('keeps unchanged turns, and assigns new ids to the others', () => {
    const annotation = start('0-1 a', '2-3 b', '4-5 a');
    const next = applyEdit(annotation, { type: 'replace', annotation: start('0-1 a', '2-3 c', '4-6 a') });
    expect(shown(next)).toEqual(['0-1 a', '2-3 c', '4-6 a']);
    expect(next.turns.map(({ id }) => id)).toEqual([1, 4, 5]);
    expect(next.turns[0]).toBe(annotation.turns[0]);
    expect(next.nextId).toBe(6);
  });

  it('takes over the confidence kind', () => {
    const margins = applyEdit(start('0-1 a'), { type: 'replace', annotation: { ...start('0-2 a'), confidenceKind: 'margin' } });
    expect(margins.confidenceKind).toBe('margin');
    expect(applyEdit(margins, { type: 'replace', annotation: start('0-1 a') })).not.toHaveProperty('confidenceKind');
  });

  it.each([
    [(whole: Annotation) => ({ ...whole, speakers: [] }), /unknown speaker/],
    [(whole: Annotation) => ({ ...whole, speakers: [...whole.speakers, ...whole.speakers] }), /same id/],
    [(whole: Annotation) => ({ ...whole, turns: whole.turns.map((turn) => ({ ...turn, endSeconds: 0 })) }), /runs from/],
  ])('rejects an inconsistent annotation (%#)', (broken, message) => {
    expect(() => applyEdit(start('0-1 a'), { type: 'replace', annotation: broken(start('0-1 a')) })).toThrow(message);
  });
});

describe('applyEdit: invalid edits', () => {
  const refused: readonly (readonly [Edit, RegExp])[] = [
    [{ type: 'confirm-turn', turn: 99 }, /no turn 99/],
    [{ type: 'rename-speaker', speaker: 'z', name: 'Zoe' }, /no speaker z/],
    [{ type: 'assign-turn', turn: 1, speaker: 'z' }, /no speaker z/],
    [{ type: 'recolor-speaker', speaker: 'a', color: -1 }, /color -1/],
    [{ type: 'merge-speakers', from: 'a', into: 'a' }, /into itself/],
    [{ type: 'remove-speaker', speaker: 'a' }, /turn at 0.000 s/],
    [{ type: 'split-turn', turn: 1, atSeconds: 4 }, /split at 4.000 s/],
    [{ type: 'split-turn', turn: 1, atSeconds: NaN }, /split at/],
    [{ type: 'split-turn', turn: 1, atSeconds: 3.995 }, /too short/],
    [{ type: 'move-turn', turn: 1, startSeconds: 5, endSeconds: 4 }, /too short/],
    [{ type: 'move-turn', turn: 1, startSeconds: NaN, endSeconds: 4 }, /too short/],
    [{ type: 'move-turn', turn: 1, startSeconds: -0.1, endSeconds: 4 }, /beyond the recording/],
    [{ type: 'add-turn', speaker: 'a', startSeconds: 99, endSeconds: 100.1 }, /beyond the recording/],
  ];

  it.each(refused)('rejects %j', (edit, message) => {
    const annotation = start('0-4 a', '5-6 b');
    expect(() => applyEdit(annotation, edit)).toThrow(message);
    expect(() => applyEdit(annotation, edit)).toThrow(expect.objectContaining({ code: 'options', remedy: expect.any(String) as string }));
  });
});
