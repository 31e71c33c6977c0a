import type { Scope } from '../../util/scope';
import { h } from '../dom';

type Content = Node | string;

/** A button that does one thing. */
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

export interface Segmented<Value extends string> {
  readonly element: HTMLElement;
  readonly update: (value: Value, isEnabled: (value: Value) => boolean) => void;
}

let serial = 0;

/** Choices that are one control. */
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

/** A name and what it stands for, of a `dl`. */
export function fact(name: string, ...value: readonly Content[]): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, ...value));
}
