import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_SHARED, hasShared, readNpz, SHARED } from '../../test/shared';
import { assemble } from '../timeline/assembler';
import { parseRttm } from '../formats/rttm';
import { parseManifest } from '../store/manifest';
import { timeGeometry } from '../segmentation/geometry';
import { nameTurns, speakerLabels, type Turn } from '../timeline/turns';
import type { Annotation, Edit } from './annotation';
import { annotationOf } from './annotationOf';
import { applyEdit } from './applyEdit';
import { exclusiveOf } from './exclusive';
import { History } from './history';
import { syntheticResult } from '../../test/editing/synthetic';
import { describeUnless } from '../../test/skips';

const turn = (startSeconds: number, endSeconds: number, speaker: string, confidence: number | null = null): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
  confidence,
});

const exclusive = (turns: Turn[], hints: Turn[]): Turn[] => exclusiveOf(annotationOf(turns, hints, [], 100));


describe('exclusiveOf', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('returns the exclusive turns of an unedited result (%i)', (seed) => {
    const { turns, exclusiveTurns } = syntheticResult(seed, 300);
    // The hardest case: nearly all speech overlaps.
    expect(turns.length).toBeGreaterThan(100);
    expect(exclusiveTurns).not.toEqual(turns);
    expect(exclusive(turns, exclusiveTurns)).toEqual(exclusiveTurns);
  });

  it('prefers the turn that started first if there is no hint', () => {
    const heard = exclusive([turn(0, 10, 'a', 0.5), turn(4, 6, 'b', 0.6), turn(8, 14, 'c', 0.7)], []);
    expect(heard).toEqual([turn(0, 10, 'a', 0.5), turn(10, 14, 'c', 0.7)]);
  });

  it('follows a hint only while its speaker talks', () => {
    const annotation = annotationOf([turn(0, 10, 'a', 0.5), turn(4, 8, 'b', 0.6)], [turn(0, 4, 'a', 0.4), turn(4, 8, 'b', 0.9), turn(8, 10, 'a', 0.3)], [], 10);
    const [, second] = annotation.turns;
    const shorter = applyEdit(annotation, { type: 'move-turn', turn: second!.id, startSeconds: 5, endSeconds: 8 });
    expect(exclusiveOf(shorter).map(({ startSeconds, endSeconds, speaker }) => [startSeconds, endSeconds, speaker])).toEqual([
      [0, 5, 'a'],
      [5, 8, 'b'],
      [8, 10, 'a'],
    ]);
    // 4 s with a hint, and 1 s with only the turn.
    expect(exclusiveOf(shorter)[0]!.confidence).toBeCloseTo((4 * 0.4 + 0.5) / 5, 12);
    const gone = applyEdit(annotation, { type: 'delete-turn', turn: second!.id });
    expect(exclusiveOf(gone).map(({ startSeconds, endSeconds, speaker }) => [startSeconds, endSeconds, speaker])).toEqual([[0, 10, 'a']]);
  });

  describe('after a speaker changes', () => {
    const talking = annotationOf(
      [turn(0, 10, 'a', 0.5), turn(4, 8, 'b', 0.6), turn(20, 21, 'c', 0.7)],
      [turn(0, 4, 'a', 0.4), turn(4, 8, 'b', 0.9), turn(8, 10, 'a', 0.3), turn(20, 21, 'c', 0.7)],
      [],
      30,
    );
    const [first, second, last] = talking.turns.map(({ id }) => id);
    const heardAfter = (...edits: Edit[]): string[] =>
      exclusiveOf(edits.reduce(applyEdit, talking)).map(({ startSeconds, endSeconds, speaker }) => `${startSeconds}-${endSeconds} ${speaker}`);

    it('keeps the hint under the new speaker after a merge', () => {
      const merge = { type: 'merge-speakers', from: 'b', into: 'c' } as const;
      expect(heardAfter(merge)).toEqual(['0-4 a', '4-8 c', '8-10 a', '20-21 c']);
      const { exclusiveHints } = applyEdit(talking, merge);
      expect(exclusiveHints[1]).toEqual(turn(4, 8, 'c', 0.9));
      for (const index of [0, 2, 3]) expect(exclusiveHints[index]).toBe(talking.exclusiveHints[index]);
    });

    it('keeps the hint under the new speaker after an assignment, without a confidence', () => {
      const assign = { type: 'assign-turn', turn: second!, speaker: 'c' } as const;
      expect(heardAfter(assign)).toEqual(['0-4 a', '4-8 c', '8-10 a', '20-21 c']);
      const assigned = applyEdit(talking, assign);
      expect(exclusiveOf(assigned)[1]).toEqual(turn(4, 8, 'c', null));
      for (const index of [0, 2, 3]) expect(assigned.exclusiveHints[index]).toBe(talking.exclusiveHints[index]);
    });

    it('cuts the hint at the edges of the assigned turn', () => {
      const split = { type: 'split-turn', turn: second!, atSeconds: 6 } as const;
      const assign = { type: 'assign-turn', turn: talking.nextId, speaker: 'c' } as const;
      expect(heardAfter(split, assign)).toEqual(['0-4 a', '4-6 b', '6-8 c', '8-10 a', '20-21 c']);
      const { exclusiveHints } = [split, assign].reduce<Annotation>(applyEdit, talking);
      expect(exclusiveHints.slice(1, 3)).toEqual([turn(4, 6, 'b', 0.9), turn(6, 8, 'c', null)]);
    });

    it('does not change hints of other speakers', () => {
      expect(applyEdit(talking, { type: 'assign-turn', turn: last!, speaker: 'a' }).exclusiveHints.slice(0, 3)).toEqual(talking.exclusiveHints.slice(0, 3));
      const unheard = annotationOf([turn(0, 10, 'a'), turn(4, 8, 'b')], [turn(0, 10, 'a')], [], 10);
      expect(applyEdit(unheard, { type: 'assign-turn', turn: 2, speaker: 'a' }).exclusiveHints).toBe(unheard.exclusiveHints);
      expect(applyEdit(unheard, { type: 'merge-speakers', from: 'b', into: 'a' }).exclusiveHints).toBe(unheard.exclusiveHints);
    });

    it('is undone and redone exactly', () => {
      const edits: readonly Edit[] = [
        { type: 'split-turn', turn: first!, atSeconds: 9 },
        { type: 'assign-turn', turn: talking.nextId, speaker: 'c' },
        { type: 'merge-speakers', from: 'b', into: 'c' },
      ];
      const history = new History(talking);
      const states = edits.map((edit) => {
        const before = JSON.stringify(history.annotation);
        history.apply(edit);
        return before;
      });
      const end = JSON.stringify(history.annotation);
      for (const state of states.reverse()) {
        history.undo();
        expect(JSON.stringify(history.annotation)).toBe(state);
      }
      while (history.redo());
      expect(JSON.stringify(history.annotation)).toBe(end);
    });
  });

  it('keeps the halves of a split separate', () => {
    const annotation = annotationOf([turn(0, 10, 'a')], [turn(0, 10, 'a')], [], 10);
    const halves = applyEdit(annotation, { type: 'split-turn', turn: annotation.turns[0]!.id, atSeconds: 4 });
    expect(exclusiveOf(halves)).toEqual([turn(0, 4, 'a'), turn(4, 10, 'a')]);
  });

  it('is empty without turns', () => {
    expect(exclusive([], [turn(0, 1, 'a')])).toEqual([]);
  });
});

describeUnless(NO_SHARED)('exclusiveOf of real recordings', () => {
  const folder = join(SHARED, 'reference');
  const files = hasShared ? readdirSync(folder).filter((file) => file.endsWith('.exclusive.rttm')) : [];
  const names = files.map((file) => file.replace('.exclusive.rttm', ''));
  const read = (file: string): Turn[] => [...parseRttm(readFileSync(join(folder, file), 'utf8')).values()].flat();

  it('finds the recordings', () => {
    expect(names.length).toBeGreaterThan(5);
  });

  it.each(names)('%s: matches pyannote.audio\'s exclusive RTTM within the rounding of a start and a duration', (name) => {
    const expected = read(`${name}.exclusive.rttm`);
    const heard = exclusive(read(`${name}.rttm`), expected);
    expect(heard.map(({ speaker }) => speaker)).toEqual(expected.map(({ speaker }) => speaker));
    heard.forEach(({ startSeconds, endSeconds }, index) => {
      expect(Math.abs(startSeconds - expected[index]!.startSeconds)).toBeLessThan(0.0011);
      expect(Math.abs(endSeconds - expected[index]!.endSeconds)).toBeLessThan(0.0011);
    });
  });

  it.each(['sample', 'dev00', 'dev01', 'trn00', 'trn03', 'trn04'])('%s: matches our own exclusive turns exactly', (name) => {
    const id = 'segmentation-3.0';
    const text = readFileSync(new URL(`../../models/${id}/manifest.json`, import.meta.url), 'utf8');
    const manifest = parseManifest('segmentation', JSON.parse(text), id);
    const arrays = readNpz(join(folder, `${name}.npz`));
    const embeddings = arrays.embeddings!;
    const assembly = assemble({
      activity: Uint8Array.from(arrays.segmentations!.data),
      embeddings: Float32Array.from(embeddings.data),
      numSpeakers: manifest.powerset.numSpeakers,
      dimension: embeddings.shape.at(-1)!,
      geometry: timeGeometry(manifest),
      options: { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, minSpeakers: 1, maxSpeakers: 20 },
      minCleanFrames: 0,
    });
    const labels = speakerLabels(assembly.turns);
    const exclusiveTurns = nameTurns(assembly.exclusiveTurns, labels, 0);
    expect(exclusiveTurns.length).toBeGreaterThan(0);
    expect(exclusive(nameTurns(assembly.turns, labels, 0), exclusiveTurns)).toEqual(exclusiveTurns);
  });
});
