import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../editing/applyEdit';
import { annotationWith } from '../../../test/app/annotation';
import { addAtPlayhead } from './corrections';
import type { Studio } from './editor';

/** The parts of a studio that adding a turn needs. */
function studioAt(position: number, spans: readonly (readonly [string, number, number])[]): { studio: Studio; said: string[]; turns: () => string[] } {
  let annotation = annotationWith(spans.map(([speaker, start, end]) => [speaker, start, end]));
  const said: string[] = [];
  const studio = {
    player: { position },
    get: () => ({ annotation, mode: 'overlapping', proposal: null, selected: null }),
    edit: (edit: Parameters<typeof applyEdit>[1]) => {
      annotation = applyEdit(annotation, edit);
      return true;
    },
    select: () => undefined,
    say: (message: string) => said.push(message),
  };
  const turns = (): string[] => annotation.turns.map(({ speaker, startSeconds, endSeconds }) => `${startSeconds}-${endSeconds} ${speaker}`);
  return { studio: studio as unknown as Studio, said, turns };
}

describe('adding a turn at the playhead', () => {
  it('over speech of the same speaker adds nothing and says so', () => {
    const { studio, said, turns } = studioAt(5, [['A', 0, 10], ['B', 20, 30]]);
    addAtPlayhead(studio);
    expect(turns()).toEqual(['0-10 A', '20-30 B']);
    expect(said.join()).toMatch(/already speaks here/);
  });

  it('before another turn of the speaker ends where that one begins, and stays separate', () => {
    const { studio, turns } = studioAt(10, [['A', 0, 10], ['A', 11, 30]]);
    addAtPlayhead(studio);
    expect(turns()).toEqual(['0-10 A', '10-11 A', '11-30 A']);
  });
});
