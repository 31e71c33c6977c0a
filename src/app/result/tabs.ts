import { h, onResize, setText } from '../../ui-kit/dom';
import type { Scope } from '../../ui-kit/scope';

/** Minimum time a message is shown, and additional time per letter. */
const MIN_MS = 8000;
const MS_PER_LETTER = 100;

/** A message line about the last correction. It overlays the page and takes up no space. */
interface StatusLine {
  readonly element: HTMLElement;
  readonly say: (message: string) => void;
  /** Removes the message, for example because another change made it outdated. */
  readonly clear: () => void;
}

/** A message disappears at the next change of the result or after its display time. */
export function createStatusLine(scope: Scope): StatusLine {
  const element = h('p', { class: 'editor__status', role: 'status', 'data-testid': 'editor-status' });
  let timer = 0;
  let frame = 0;
  const clear = (): void => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    setText(element, '');
  };
  scope.add(clear);
  return {
    element,
    clear,
    say(message) {
      // A screen reader repeats the same sentence only if the line was empty in between.
      clear();
      frame = requestAnimationFrame(() => {
        setText(element, message);
      });
      timer = window.setTimeout(clear, MIN_MS + MS_PER_LETTER * message.length);
    },
  };
}

/** Calls the listener whenever an element without a size gets one, because its tab is shown. */
export function whenShown(scope: Scope, element: HTMLElement, onShown: () => void): void {
  let isShown = false;
  onResize(scope, element, () => {
    const wasShown = isShown;
    isShown = element.offsetWidth > 0;
    if (isShown && !wasShown) onShown();
  });
}

/** Whether an element is inside a tab that is hidden by `hidden`. */
export function isHidden(element: HTMLElement): boolean {
  return element.closest('[hidden]') !== null;
}

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly label: string;
  /** Creates the content when the tab is first shown. */
  readonly make: () => HTMLElement;
  /** Whether to create the content at once, to make it available to the browser's text search. */
  readonly isEager?: boolean;
}

interface Tabs<Id extends string> {
  readonly element: HTMLElement;
  /** Shows a tab without moving the focus. */
  readonly show: (id: Id) => void;
}

let serial = 0;

/**
 * Tabs according to the WAI-ARIA pattern: arrow keys, Home and End move between them; only the active tab is in the tab
 * order.
 */
export function createTabs<Id extends string>(scope: Scope, label: string, tabs: readonly Tab<Id>[]): Tabs<Id> {
  serial += 1;
  const prefix = `tabs-${serial}`;
  const made = new Set<Id>();
  const parts = tabs.map(({ id, label: name, make, isEager }) => {
    const panel = h('div', { role: 'tabpanel', id: `${prefix}-${id}`, 'aria-labelledby': `${prefix}-${id}-tab`, class: 'tabs__panel', hidden: true });
    const button = h(
      'button',
      { type: 'button', role: 'tab', class: 'tabs__tab', id: `${prefix}-${id}-tab`, 'aria-controls': `${prefix}-${id}`, 'data-testid': `tab-${id}` },
      name,
    );
    if (isEager) {
      made.add(id);
      panel.append(make());
    }
    return { id, make, panel, button };
  });
  const show = (id: Id): void => {
    for (const part of parts) {
      const isShown = part.id === id;
      if (isShown && !made.has(id)) {
        made.add(id);
        part.panel.append(part.make());
      }
      part.panel.hidden = !isShown;
      part.button.setAttribute('aria-selected', String(isShown));
      part.button.tabIndex = isShown ? 0 : -1;
    }
  };
  const list = h('div', { role: 'tablist', class: 'tabs__list', 'aria-label': label }, ...parts.map(({ button }) => button));
  scope.on(list, 'click', (event) => {
    const part = parts.find(({ button }) => event.target instanceof Node && button.contains(event.target));
    if (part) show(part.id);
  });
  scope.on(list, 'keydown', (event) => {
    const index = parts.findIndex(({ button }) => button === event.target);
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: (index + 1) % parts.length,
      ArrowLeft: (index + parts.length - 1) % parts.length,
      Home: 0,
      End: parts.length - 1,
    };
    const next = parts[moves[event.key] ?? -1];
    if (index < 0 || !next) return;
    event.preventDefault();
    show(next.id);
    next.button.focus();
  });
  const element = h('section', { class: 'panel tabs' }, list, ...parts.map(({ panel }) => panel));
  const [first] = tabs;
  if (first) show(first.id);
  return { element, show };
}
