import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../editing/applyEdit';
import { annotationWith } from '../../../test/app/annotation';
import { addAtPlayhead } from './corrections';
import type { Editor } from './editor';

/** The parts of an editor that are needed to add a turn. */
function editorAt(position: number, spans: readonly (readonly [string, number, number])[]): { editor: Editor; said: string[]; turns: () => string[] } {
  let annotation = annotationWith(spans.map(([speaker, start, end]) => [speaker, start, end]));
  const said: string[] = [];
  const editor = {
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
  return { editor: editor as unknown as Editor, said, turns };
}

describe('adding a turn at the playhead', () => {
  it('over speech of the same speaker adds nothing and shows a message', () => {
    const { editor, said, turns } = editorAt(5, [['A', 0, 10], ['B', 20, 30]]);
    addAtPlayhead(editor);
    expect(turns()).toEqual(['0-10 A', '20-30 B']);
    expect(said.join()).toMatch(/already speaks here/);
  });

  it('before another turn of the speaker ends at its start and stays separate', () => {
    const { editor, turns } = editorAt(10, [['A', 0, 10], ['A', 11, 30]]);
    addAtPlayhead(editor);
    expect(turns()).toEqual(['0-10 A', '10-11 A', '11-30 A']);
  });
});
