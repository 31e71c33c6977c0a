import { describe, expect, it, vi } from 'vitest';
import { annotationOf } from '../../editing/annotationOf';
import { History } from '../../editing/history';
import { Scope } from '../../ui-kit/scope';
import type { Player } from '../../ui-kit/player';
import type { Outcome } from '../state';
import { Tab, World } from '../../../test/app/tabs';
import { deleteSelected, splitSelected, stepTurn } from './corrections';
import { createEditor, type Editor } from './editor';

const turn = (startSeconds: number, endSeconds: number, speaker: string) => ({ startSeconds, endSeconds, speaker });
const annotation = annotationOf(
  [turn(0, 2, 'SPEAKER_00'), turn(3, 5, 'SPEAKER_01'), turn(6, 9, 'SPEAKER_00')],
  [],
  [{ label: 'SPEAKER_00' }, { label: 'SPEAKER_01' }],
  10,
);
const [, second, third] = annotation.turns.map(({ id }) => id) as [number, number, number];

function make(): { editor: Editor; said: string[]; tabs: { readonly own: Tab; readonly other: Tab }; world: World; seek: (seconds: number) => void } {
  const said: string[] = [];
  const world = new World();
  world.commit(new History(annotation).toPlain(), 'null');
  const tabs = { own: new Tab(world, () => undefined), other: new Tab(world, () => undefined) };
  const player = { position: 0, playing: false, loop: vi.fn(), toggle: vi.fn(), seek: (seconds: number) => (player.position = seconds) };
  const editor = createEditor(new Scope(), {
    outcome: { annotation } as Outcome,
    corrections: tabs.own.work,
    theme: { toggle: vi.fn(), onChange: vi.fn() },
    player: player as unknown as Player,
    say: (message) => said.push(message),
  });
  return { editor, said, tabs, world, seek: (seconds) => (player.position = seconds) };
}

describe('the editor', () => {
  it('notifies every listener of changes until its owner ends', () => {
    const { editor, tabs } = make();
    const owner = new Scope();
    const heard = vi.fn();
    editor.onChange(owner, heard);
    editor.edit({ type: 'rename-speaker', speaker: 'SPEAKER_00', name: 'Ada' });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(tabs.own.work.state).toBe('saving');
    owner.dispose();
    editor.undo();
    expect(heard).toHaveBeenCalledTimes(1);
    expect(editor.get().annotation).toEqual(annotation);
    expect(editor.get().canRedo).toBe(true);
  });

  it('shows why a correction is impossible and changes nothing', () => {
    const { editor, said, tabs, seek } = make();
    editor.select(second);
    seek(9.5);
    splitSelected(editor);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^Not changed: /);
    expect(tabs.own.work.state).toBe('saved');
    expect(editor.get().annotation).toEqual(annotation);
  });

  it('selects the turn after a deleted one, and never a deleted turn', () => {
    const { editor } = make();
    editor.select(second);
    deleteSelected(editor);
    expect(editor.get().selected).toBe(third);
    editor.edit({ type: 'delete-turn', turn: third });
    expect(editor.get().selected).toBeNull();
  });

  it('steps from the playhead if no turn is selected', () => {
    const { editor, seek } = make();
    seek(2.5);
    stepTurn(editor, 1);
    expect(editor.get().selected).toBe(second);
    stepTurn(editor, 1);
    stepTurn(editor, 1);
    expect(editor.get().selected).toBe(third);
    stepTurn(editor, -1);
    expect(editor.get().selected).toBe(second);
  });

  it('discards a proposal when its annotation changes', () => {
    const { editor } = make();
    editor.propose({ ...annotation, turns: [] });
    editor.edit({ type: 'add-speaker', name: 'Eve' });
    expect(editor.get().proposal).toBeNull();
  });

  it('shows changes that another tab saved, and keeps the selection', async () => {
    const { editor, tabs, world } = make();
    editor.select(second);
    editor.propose({ ...annotation, turns: [] });
    tabs.other.work.apply({ type: 'edit', edit: { type: 'rename-speaker', speaker: 'SPEAKER_01', name: 'Bea' } });
    await world.settle();
    expect(editor.get()).toMatchObject({ selected: second, proposal: null, canUndo: true });
    expect(editor.get().annotation.speakers[1]!.name).toBe('Bea');
    editor.undo();
    await world.settle();
    expect(tabs.other.work.corrections.history.annotation).toEqual(annotation);
  });
});
