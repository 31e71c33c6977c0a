import { describe, expect, it, vi } from 'vitest';
import { openEditor as make, THREE_TURNS as annotation } from '../../../test/app/openEditor';
import { Scope } from '../../ui-kit/scope';
import { deleteSelected, splitSelected, stepTurn } from './corrections';

const [, second, third] = annotation.turns.map(({ id }) => id) as [number, number, number];

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
