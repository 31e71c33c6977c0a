import { describe, expect, it } from 'vitest';
import { annotationOf } from '../../editing/annotationOf';
import { distinctNames, exportNamesOf, namesakesOf } from './speakerNames';

const annotation = annotationOf(
  [],
  [],
  [
    { label: 'SPEAKER_00', name: 'Ann' },
    { label: 'SPEAKER_01', name: 'Ann' },
    { label: 'SPEAKER_02', name: 'Ann (2)' },
    { label: 'SPEAKER_03', name: 'ann' },
    { label: 'SPEAKER_04', name: 'Speaker 6' },
    { label: 'SPEAKER_05' },
  ],
  10,
);

describe('speakers with the same name', () => {
  it('have distinct names in files', () => {
    expect([...exportNamesOf(annotation).values()]).toEqual(['Ann', 'Ann (3)', 'Ann (2)', 'ann', 'Speaker 6', 'Speaker 6 (2)']);
    expect([...distinctNames(new Map([['a', 'x'], ['b', 'x'], ['c', 'x']])).values()]).toEqual(['x', 'x (2)', 'x (3)']);
  });

  it('are found, each with the first speaker of that name', () => {
    expect([...namesakesOf(annotation)]).toEqual([
      ['SPEAKER_01', 'SPEAKER_00'],
      ['SPEAKER_03', 'SPEAKER_00'],
      ['SPEAKER_05', 'SPEAKER_04'],
    ]);
  });
});
