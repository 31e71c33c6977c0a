/** What each shortcut does to a result. */
import { beforeEach, describe, expect, it } from 'vitest';
import { openEditor, type OpenedEditor, THREE_TURNS } from '../../../test/app/openEditor';
import type { Tracks } from '../../ui-kit/tracks/tracks';
import { actOn, shortcutOf } from './shortcuts';

const [first, second, third] = THREE_TURNS.turns.map(({ id }) => id) as [number, number, number];

let opened: OpenedEditor;
/** Calls of the tracks and dialogs. */
let asked: string[];

beforeEach(() => {
  opened = openEditor();
  asked = [];
});

/** Presses keys, such as `a` or `Ctrl+z`. @returns whether the last one was used */
function press(...keys: readonly string[]): boolean {
  let isUsed = false;
  for (const name of keys) {
    const key = name.replace('Ctrl+', '');
    const id = shortcutOf({ key, ctrlKey: key !== name, metaKey: false, altKey: false, shiftKey: false }, true)!;
    const targets = {
      editor: opened.editor,
      tracks: { zoom: (factor: number) => asked.push(`zoom ${factor}`) } as unknown as Tracks,
      rename: (speaker: string) => asked.push(`rename ${speaker}`),
      openExport: () => asked.push('export'),
      openHelp: () => asked.push('help'),
    };
    isUsed = actOn(targets, id, key);
  }
  return isUsed;
}

const turns = (): string[] => opened.editor.get().annotation.turns.map(({ startSeconds, endSeconds, speaker }) => `${startSeconds}-${endSeconds} ${speaker.slice(-1)}`);
const START = ['0-2 0', '3-5 1', '6-9 0'];

describe('playback and view', () => {
  it('each key controls the player', () => {
    press(' ', 'ArrowLeft', 'ArrowRight', 'j', 'k', 'l');
    expect(opened.played).toEqual(['toggle', 'skip -5', 'skip 5', 'shuttle -1', 'shuttle 0', 'shuttle 1']);
    expect(turns()).toEqual(START);
  });

  it('each key zooms or opens its dialog', () => {
    press('+', '=', '-', '0', 'e', '?');
    expect(asked).toEqual(['zoom 2', 'zoom 2', 'zoom 0.5', 'zoom 0', 'export', 'help']);
  });

  it('a loop repeats the selected turn, and only that', () => {
    press('o');
    expect(opened.editor.get().loop).toBeNull();
    expect(opened.said).toEqual(['No turn is selected.']);
    opened.editor.select(second);
    press('o');
    expect(opened.played).toEqual(['loop {"startSeconds":3,"endSeconds":5}', 'toggle']);
    press('o');
    expect(opened.editor.get().loop).toBeNull();
    expect(opened.played.at(-1)).toBe('loop null');
  });

  it('exclusive turns are shown, but not corrected', () => {
    opened.editor.select(second);
    press('v');
    expect(opened.editor.get().mode).toBe('exclusive');
    press('Delete', 'a');
    expect(opened.said).toHaveLength(2);
    expect(opened.said[0]).toContain('switch to the overlapping turns');
    expect(turns()).toEqual(START);
    press('v');
    expect(opened.editor.get().mode).toBe('overlapping');
  });
});

describe('navigation', () => {
  it('steps through the turns and moves the playhead, which stays while the recording plays', () => {
    press('ArrowDown');
    expect(opened.editor.get().selected).toBe(first);
    press('ArrowDown', 'ArrowDown');
    expect(opened.editor.get().selected).toBe(third);
    expect(opened.editor.player.position).toBe(6);
    (opened.editor.player as { playing: boolean }).playing = true;
    press('ArrowUp');
    expect(opened.editor.get().selected).toBe(second);
    expect(opened.editor.player.position).toBe(6);
    expect(opened.said.at(-1)).toBe('Selected: Speaker 2, 0:03.00 to 0:05.00.');
    press('ArrowUp', 'ArrowUp');
    expect(opened.editor.get().selected).toBe(first);
  });

  it('the previous turn of a playhead without a selection is the last that began before it', () => {
    opened.seek(5.5);
    press('ArrowUp');
    expect(opened.editor.get().selected).toBe(second);
  });

  it('Escape discards the preview, then the loop, then the selection, and is then left to the browser', () => {
    const { editor } = opened;
    editor.select(second);
    press('o');
    editor.propose({ ...THREE_TURNS, turns: [] });
    const left = (): unknown[] => [editor.get().proposal !== null, editor.get().loop !== null, editor.get().selected];
    expect(left()).toEqual([true, true, second]);
    expect(press('Escape')).toBe(true);
    expect(left()).toEqual([false, true, second]);
    expect(press('Escape')).toBe(true);
    expect(left()).toEqual([false, false, second]);
    expect(press('Escape')).toBe(true);
    expect(left()).toEqual([false, false, null]);
    expect(press('Escape')).toBe(false);
  });
});

describe('corrections', () => {
  it('need a selected turn, and say so', () => {
    press('r', 's', '[', ']', 'c', 'Delete', '1');
    expect(opened.said).toEqual(Array(7).fill('No turn is selected.'));
    expect(asked).toEqual([]);
    expect(turns()).toEqual(START);
  });

  it('assign the turn to the speaker of a number; a number without a speaker does nothing', () => {
    opened.editor.select(third);
    press('2');
    expect(turns()).toEqual(['0-2 0', '3-5 1', '6-9 1']);
    expect(opened.said).toEqual(['Turn assigned to Speaker 2.']);
    press('7');
    expect(turns()).toEqual(['0-2 0', '3-5 1', '6-9 1']);
    expect(opened.said).toHaveLength(1);
  });

  it('split at the playhead, and move one edge to it', () => {
    opened.editor.select(third);
    opened.seek(7);
    press('s');
    expect(turns()).toEqual(['0-2 0', '3-5 1', '6-7 0', '7-9 0']);
    press('Ctrl+z');
    expect(turns()).toEqual(START);
    opened.editor.select(third);
    press('[');
    expect(turns()).toEqual(['0-2 0', '3-5 1', '7-9 0']);
    opened.seek(8.5);
    press(']');
    expect(turns()).toEqual(['0-2 0', '3-5 1', '7-8.5 0']);
    expect(opened.said.at(-1)).toBe('Speaker 1, 0:07.00 to 0:08.50');
    // An end before the start is refused.
    opened.seek(1);
    press(']');
    expect(opened.said.at(-1)).toMatch(/^Not changed: /);
    expect(turns()).toEqual(['0-2 0', '3-5 1', '7-8.5 0']);
  });

  it('confirm, delete, undo and redo', () => {
    opened.editor.select(second);
    press('c');
    expect(opened.editor.get().annotation.turns[1]!.isCorrected).toBe(true);
    press('Backspace');
    expect(turns()).toEqual(['0-2 0', '6-9 0']);
    expect(opened.editor.get().selected).toBe(third);
    press('Ctrl+z');
    expect(turns()).toEqual(START);
    press('Ctrl+y');
    expect(turns()).toEqual(['0-2 0', '6-9 0']);
    expect(opened.said).toEqual(['Turn confirmed.', 'Turn deleted.', 'Undone.', 'Redone.']);
    press('r');
    expect(asked).toEqual(['rename SPEAKER_00']);
  });

  it('add a turn of the selected speaker, otherwise of the first, up to the end of the recording', () => {
    opened.editor.select(second);
    opened.seek(9);
    press('a');
    // Two seconds would be longer than the recording.
    expect(turns()).toEqual([...START, '9-10 1']);
    expect(opened.editor.get().annotation.turns.at(-1)!.id).toBe(opened.editor.get().selected);
    opened.editor.select(null);
    opened.seek(2.5);
    press('a');
    expect(turns()).toEqual(['0-2 0', '2.5-4.5 0', '3-5 1', '6-9 0', '9-10 1']);
    expect(opened.said).toEqual(['Turn added.', 'Turn added.']);
  });
});
