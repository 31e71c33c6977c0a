import type { Scope } from '../../util/scope';
import { rememberedLetters, shortcutOf, type ShortcutId } from './shortcuts';

export interface Keyboard {
  /** Whether keys that are single characters act. */
  readonly setLetters: (on: boolean) => void;
}

/** What changes the result, once for each press. */
const CHANGING: ReadonlySet<ShortcutId> = new Set(['assign', 'split', 'set-start', 'set-end', 'add', 'confirm', 'delete']);

/** The arrow, Home and End keys that a focused control wants for itself. */
const OWN_ARROWS = '[role="tab"], [role="slider"], [role="scrollbar"], [role="row"], tr[tabindex], input, select, textarea, summary';

/**
 * Keys for the whole result, except where the focused control needs them for itself.
 *
 * @param act gets the shortcut and the key; gives false where it leaves the key to the browser
 */
export function steerByKeys(scope: Scope, act: (id: ShortcutId, key: string) => boolean): Keyboard {
  let letters = rememberedLetters();
  scope.on(document, 'keydown', (event) => {
    if (event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    // A dialog has the page to itself.
    if (document.querySelector('dialog[open]')) return;
    const id = shortcutOf(event, letters);
    if (!id) return;
    const isText = target?.matches('input:not([type="radio"], [type="checkbox"], [type="range"], [type="file"], [type="color"]), textarea, select') ?? false;
    // A field has undo, letters and arrows of its own.
    if (isText) return;
    // A slider's own keys are arrows, but what is typed on it is meant for it as well.
    if (target?.matches('input[type="range"]') && CHANGING.has(id)) return;
    // Held down, these would go through the whole recording.
    if (event.repeat && (CHANGING.has(id) || id === 'toggle')) return;
    if (id === 'toggle' && target?.closest('button, a, label, summary, input')) return;
    if ((id === 'next-turn' || id === 'previous-turn' || id === 'back' || id === 'forward') && target?.closest(OWN_ARROWS)) {
      // The timeline's own keys are these very ones.
      const isTimeline = target.matches('.lanes__scroller') && (id === 'back' || id === 'forward');
      if (!isTimeline) return;
    }
    if (act(id, event.key)) event.preventDefault();
  });
  return {
    setLetters(on) {
      letters = on;
    },
  };
}
