import { h, icon } from '../../ui-kit/dom';
import { failureDetails } from '../../ui-kit/failure';
import { fileButton } from '../../ui-kit/files';
import { questionWords } from '../models/modelBox';
import { recoveries, type State } from '../state';
import { text } from '../../ui-kit/texts/text';
import type { View, ViewContext } from '../view';

export function errorView(context: ViewContext): View {
  const { scope, state, actions } = context;
  const { phase, lastOutcome } = state;
  if (phase.kind !== 'error') throw new Error('The error view needs the error phase');
  const { failure, source } = phase;
  const heading = h('h2', { class: 'title' }, text.error.heading(source.name));
  const choose = fileButton(scope, text.error.choose, actions.open);
  const ways = h('div', { class: 'button-row' });
  const asked = h('div', { class: 'error__question', role: 'alert' });
  let question: State['models']['question'] | undefined;

  const element = h(
    'div',
    { class: 'view view--error panel', 'data-testid': 'error' },
    h('div', { role: 'alert' }, h('p', { class: 'legend legend--alert' }, text.error.label), heading, failureDetails(failure, text.error)),
    asked,
    ways,
    failure.code && h('p', { class: 'fine mono' }, text.error.code(failure.code)),
  );
  if (lastOutcome) {
    const back = h('button', { type: 'button', class: 'link-button' }, icon('back'), text.error.back(lastOutcome.name));
    scope.on(back, 'click', actions.back);
    element.append(h('div', { class: 'kept' }, h('p', {}, text.error.kept), back));
  }
  return {
    element,
    heading,
    update(next) {
      // The question about a model file may follow the failure of the recording that waited for it.
      if (next.models.question === question) return;
      question = next.models.question;
      asked.hidden = question === null;
      asked.replaceChildren(
        ...(question ? [h('h3', {}, text.models.question.heading), ...questionWords(question.preset, question.file.name)] : []),
      );
      ways.replaceChildren(choose, ...(question ? answers(context) : recoveryButtons(context)));
    },
  };
}

function button({ scope }: ViewContext, label: string, onClick: () => void, testId?: string): HTMLElement {
  const element = h('button', { type: 'button', class: 'button', 'data-testid': testId }, label);
  scope.on(element, 'click', onClick);
  return element;
}

function answers(context: ViewContext): readonly HTMLElement[] {
  const { actions } = context;
  const words = text.models.question;
  return [
    button(
      context,
      words.yes,
      () => {
        actions.answerQuestion(true);
      },
      'trust-model',
    ),
    button(
      context,
      words.noAndRun,
      () => {
        actions.answerQuestion(false);
      },
      'refuse-model',
    ),
  ];
}

function recoveryButtons(context: ViewContext): readonly HTMLElement[] {
  const { state, actions } = context;
  if (state.phase.kind !== 'error') return [];
  const ways = recoveries(state.phase.failure, state.options);
  const buttons: HTMLElement[] = [];
  if (ways.wasm) {
    buttons.push(
      button(context, text.error.wasm, () => {
        actions.retry({ backend: 'wasm' });
      }),
    );
  }
  if (ways.retry) {
    buttons.push(
      button(context, text.error.retry, () => {
        actions.retry();
      }),
    );
  }
  if (ways.bundled) {
    buttons.push(
      button(
        context,
        text.error.bundled,
        () => {
          actions.retry({ preset: 'campplus' });
        },
        'retry-bundled',
      ),
    );
  }
  if (ways.options) {
    buttons.push(
      button(context, text.error.options, () => {
        actions.toggleOptions(true);
        actions.reset();
      }),
    );
  }
  return buttons;
}
