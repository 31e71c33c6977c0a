import { h } from './dom';
import type { Scope } from './scope';

type Content = Node | string;

/** A push button. */
export function button(
  scope: Scope,
  attributes: Readonly<Record<string, string | null>>,
  onClick: () => void,
  ...content: readonly Content[]
): HTMLButtonElement {
  const element = h('button', { type: 'button', class: 'button', ...attributes }, ...content);
  scope.on(element, 'click', onClick);
  return element;
}

interface Segmented<Value extends string> {
  readonly element: HTMLElement;
  readonly update: (value: Value, isEnabled: (value: Value) => boolean) => void;
}

let serial = 0;

/** Mutually exclusive choices in one control. */
export function segmented<Value extends string>(
  scope: Scope,
  legend: string,
  testId: string,
  choices: readonly (readonly [value: Value, label: string])[],
  onChoice: (value: Value) => void,
): Segmented<Value> {
  serial += 1;
  const name = `choice-${serial}`;
  const entries = choices.map(([value, label]) => {
    const radio = h('input', { type: 'radio', name, value, class: 'visually-hidden' });
    scope.on(radio, 'change', () => {
      onChoice(value);
    });
    return { value, radio, element: h('label', { 'data-testid': `${testId}-${value}` }, radio, h('span', {}, label)) };
  });
  return {
    element: h(
      'fieldset',
      { class: 'segmented' },
      h('legend', { class: 'visually-hidden' }, legend),
      ...entries.map((entry) => entry.element),
    ),
    update(value, isEnabled) {
      for (const entry of entries) {
        entry.radio.checked = entry.value === value;
        entry.radio.disabled = !isEnabled(entry.value);
      }
    },
  };
}

/** A term and its description in a `dl`. */
export function fact(name: string, ...value: readonly Content[]): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, ...value));
}

export interface Menu {
  readonly element: HTMLElement;
  readonly open: () => void;
  readonly close: () => void;
}

/**
 * A button that opens a box below it. The box closes on Escape, on a press outside, and when it loses the focus. It
 * uses the element `details`, whose summary is a button that exposes its state to screen readers.
 */
export function createMenu(scope: Scope, label: readonly (Node | string)[], content: HTMLElement, testId: string): Menu {
  const summary = h('summary', { class: 'button', 'data-testid': testId }, ...label);
  const element = h('details', { class: 'menu' }, summary, h('div', { class: 'menu__box' }, content));
  const close = (): void => {
    if (!element.open) return;
    const hadFocus = element.matches(':focus-within');
    element.open = false;
    if (hadFocus) summary.focus();
  };
  scope.on(document, 'pointerdown', (event) => {
    // By the composed path: the document sees the host in place of elements in its shadow root.
    if (!event.composedPath().includes(element)) element.open = false;
  });
  scope.on(element, 'focusout', (event) => {
    if (event.relatedTarget instanceof Node && !element.contains(event.relatedTarget)) element.open = false;
  });
  scope.on(element, 'keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  return {
    element,
    close,
    open() {
      element.open = true;
      content.querySelector<HTMLElement>('button, input, select, a')?.focus();
    },
  };
}
