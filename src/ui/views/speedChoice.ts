import type { Speed } from '../../pipeline/types';
import type { Scope } from '../../util/scope';
import { h } from '../dom';
import type { RunOptions } from '../state';
import { text } from '../text';

const CHOICES = ['exact', 'fast'] as const satisfies readonly Speed[];

/** The choice between exact and fast, each with what it is and what it costs. */
export function speedChoice(
  scope: Scope,
  onChoose: (speed: Speed) => void,
): { readonly element: HTMLElement; readonly update: (options: RunOptions) => void } {
  const rows = CHOICES.map((speed) => {
    const { what, cost } = text.options.speedCost[speed];
    const line = h('span', { class: 'choice-row__line', id: `speed-line-${speed}` }, what);
    const facts = h('span', { class: 'choice-row__facts', id: `speed-facts-${speed}` }, cost);
    const radio = h('input', {
      type: 'radio',
      name: 'speed',
      value: speed,
      'data-testid': `speed-${speed}`,
      'aria-describedby': `${line.id} ${facts.id}`,
    });
    scope.on(radio, 'change', () => {
      onChoose(speed);
    });
    const element = h(
      'label',
      { class: 'choice-row' },
      radio,
      h('span', { class: 'choice-row__name' }, text.options.speeds[speed]),
      line,
      facts,
    );
    return { speed, radio, element };
  });
  return {
    element: h(
      'fieldset',
      { class: 'choice-rows' },
      h('legend', {}, text.options.speed),
      ...rows.map((row) => row.element),
    ),
    update(options) {
      for (const { speed, radio } of rows) radio.checked = options.speed === speed;
    },
  };
}
