import { describe, expect, it } from 'vitest';
import type { Annotation } from '../../editing/annotation';
import { annotationOf } from '../../editing/annotationOf';
import { applyEdit } from '../../editing/applyEdit';
import { speakerKeys, speakerOfKey } from './speakerNames';

const annotationWith = (...labels: readonly string[]): Annotation =>
  annotationOf([], [], labels.map((label) => ({ label })), 10);
const keysOf = (annotation: Annotation): string[] => [...speakerKeys(annotation)].map(([id, key]) => `${id} ${key}`);

describe('speakerKeys', () => {
  it('are the numbers in the names and stay the same after a merge and a rename', () => {
    let annotation = annotationWith('SPEAKER_00', 'SPEAKER_01', 'SPEAKER_02');
    annotation = applyEdit(annotation, { type: 'merge-speakers', from: 'SPEAKER_01', into: 'SPEAKER_00' });
    annotation = applyEdit(annotation, { type: 'rename-speaker', speaker: 'SPEAKER_02', name: 'Ada' });
    expect(keysOf(annotation)).toEqual(['SPEAKER_00 1', 'SPEAKER_02 3']);
    expect([2, 3].map((key) => speakerOfKey(annotation, key))).toEqual([null, 'SPEAKER_02']);
  });

  it('are the remaining numbers for speakers from a file and those above nine', () => {
    expect(keysOf(annotationWith('Bob', 'SPEAKER_01', 'Kim'))).toEqual(['SPEAKER_01 2', 'Bob 1', 'Kim 3']);
    expect(keysOf(annotationWith('SPEAKER_00', 'SPEAKER_11'))).toEqual(['SPEAKER_00 1', 'SPEAKER_11 2']);
  });

  it('are at most nine', () => {
    const many = annotationWith(...Array.from({ length: 12 }, (_, index) => `guest ${index}`));
    expect(speakerKeys(many).size).toBe(9);
    expect(speakerOfKey(many, 9)).toBe('guest 8');
  });
});
