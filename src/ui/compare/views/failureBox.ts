import { failureFacts } from '../../failureFacts';
import { h } from '../../dom';
import { button } from '../controls';
import { whenChanged, type Section, type SectionContext } from '../section';
import { stateName } from '../state';
import { text } from '../text';

/** Why the last job gave nothing. What earlier ones gave stays below. */
export function failureBox({ scope, actions }: SectionContext): Section {
  const content = h('div', { role: 'alert' });
  const dismiss = button(scope, {}, actions.dismissFailure, text.failure.dismiss);
  const element = h('section', { class: 'panel failure', hidden: true, 'data-testid': 'failure' }, content, dismiss);
  return {
    element,
    update: whenChanged(
      ({ failure }) => [failure],
      (state) => {
        const { failure, failedJob } = state;
        element.hidden = failure === null;
        element.dataset.code = failure?.code ?? '';
        if (!failure) {
          content.replaceChildren();
          return;
        }
        content.replaceChildren(
          h('p', { class: 'legend legend--alert' }, text.failure.label(failedJob && text.jobs[failedJob])),
          failureFacts(failure, text.failure),
          failure.code ? h('p', { class: 'fine mono' }, text.failure.code(failure.code)) : '',
          stateName(state) === 'done' ? h('p', { class: 'fine' }, text.failure.kept) : '',
        );
      },
    ),
  };
}
