import { describe, expect, it } from 'vitest';
import { SHORTCUTS, shortcutOf, type KeyPress } from './shortcuts';

const press = (key: string, held: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

describe('shortcutOf', () => {
  it('distinguishes undo from redo by shift, and accepts the Mac’s command key', () => {
    expect(shortcutOf(press('z', { ctrlKey: true }), true)).toBe('undo');
    expect(shortcutOf(press('Z', { ctrlKey: true, shiftKey: true }), true)).toBe('redo');
    expect(shortcutOf(press('y', { metaKey: true }), true)).toBe('redo');
  });

  it('ignores the browser’s own shortcuts', () => {
    expect(shortcutOf(press('s', { ctrlKey: true }), true)).toBeNull();
    expect(shortcutOf(press('1', { altKey: true }), true)).toBeNull();
    expect(shortcutOf(press('Tab'), true)).toBeNull();
  });

  it('accepts brackets typed with Alt', () => {
    expect(shortcutOf(press('[', { altKey: true }), true)).toBe('set-start');
    expect(shortcutOf(press(']', { altKey: true, ctrlKey: true }), true)).toBe('set-end');
  });

  it('turns off only single characters', () => {
    expect(shortcutOf(press('s'), true)).toBe('split');
    expect(shortcutOf(press('s'), false)).toBeNull();
    expect(shortcutOf(press('4'), false)).toBeNull();
    expect(shortcutOf(press('F2'), false)).toBe('rename');
    expect(shortcutOf(press('ArrowDown'), false)).toBe('next-turn');
    expect(shortcutOf(press('?', { shiftKey: true }), true)).toBe('help');
    expect(shortcutOf(press('?', { shiftKey: true }), false)).toBeNull();
  });

  it('has one meaning for each key', () => {
    const all = SHORTCUTS.flatMap(({ keys, withControl, withShift }) =>
      keys.map((key) => [withControl ? 'Ctrl' : '', withShift ? 'Shift' : '', key].join(' ')),
    );
    expect(new Set(all).size).toBe(all.length);
  });
});
