import { h, icon } from '../dom';
import { failureFacts } from '../failureFacts';
import { fileButton } from '../fileButton';
import { recoveries } from '../state';
import { text } from '../text';
import type { View, ViewContext } from '../view';

export function errorView({ scope, state, actions }: ViewContext): View {
  const { phase, options, lastOutcome } = state;
  if (phase.kind !== 'error') throw new Error('The error view needs the error phase');
  const { failure, source } = phase;
  const heading = h('h2', { class: 'title' }, text.error.heading(source.name));

  const button = (label: string, onClick: () => void): HTMLElement => {
    const element = h('button', { type: 'button', class: 'button' }, label);
    scope.on(element, 'click', onClick);
    return element;
  };
  const ways = recoveries(failure, options);
  const buttons = [fileButton(scope, text.error.choose, actions.open)];
  if (ways.wasm) {
    buttons.push(
      button(text.error.wasm, () => {
        actions.retry({ backend: 'wasm' });
      }),
    );
  }
  if (ways.retry) {
    buttons.push(
      button(text.error.retry, () => {
        actions.retry();
      }),
    );
  }
  if (ways.options) {
    buttons.push(
      button(text.error.options, () => {
        actions.toggleOptions(true);
        actions.reset();
      }),
    );
  }

  const element = h(
    'div',
    { class: 'view view--error panel', 'data-testid': 'error' },
    h('div', { role: 'alert' }, h('p', { class: 'legend legend--alert' }, text.error.label), heading, failureFacts(failure, text.error)),
    h('div', { class: 'button-row' }, ...buttons),
    failure.code && h('p', { class: 'fine mono' }, text.error.code(failure.code)),
  );
  if (lastOutcome) {
    const back = h('button', { type: 'button', class: 'link-button' }, icon('back'), text.error.back(lastOutcome.name));
    scope.on(back, 'click', actions.back);
    element.append(h('div', { class: 'kept' }, h('p', {}, text.error.kept), back));
  }
  return { element, heading, update: () => undefined };
}
