import type { ComparisonReport } from '../../compare/report';
import { button } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { failureDetails } from '../../ui-kit/failure';
import { type Section, type SectionContext, whenChanged } from '../section';
import { type Headline, headlineOf, stageRows, type State, stateName } from '../state';
import { causeSentence, decisionsText, text, verdictSentence } from '../text';
import { stageLink } from './neighborhood';

/** The failure of the last job. Earlier results stay below. */
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
          failureDetails(failure, text.failure),
          failure.code ? h('p', { class: 'fine mono' }, text.failure.code(failure.code)) : '',
          stateName(state) === 'done' ? h('p', { class: 'fine' }, text.failure.kept) : '',
        );
      },
    ),
  };
}

interface VerdictHead extends Section {
  readonly heading: HTMLElement;
}

/** The verdict in one line, the combined conclusion, and the buttons to save and print. */
export function verdictHead({ scope, actions }: SectionContext): VerdictHead {
  const heading = h('h2', { class: 'verdict__line', tabindex: -1, 'data-testid': 'verdict' });
  const coverage = h('p', { class: 'verdict__coverage', 'data-testid': 'coverage' });
  const reading = h('p', { class: 'verdict__reading' });
  const cause = h('p', { class: 'verdict__cause', 'data-testid': 'first-cause' });
  const backends = h('ul', { class: 'verdict__backends' });
  const edited = h(
    'p',
    { class: 'verdict__edited', hidden: true, 'data-testid': 'edited' },
    h('span', {}, text.verdict.edited),
    button(scope, { class: 'link-button', 'data-testid': 'tolerances-back' }, actions.resetTolerances, text.verdict.reset),
  );
  const element = h(
    'section',
    { class: 'panel verdict', hidden: true },
    h(
      'div',
      { class: 'view-head' },
      h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.verdict.label), heading),
      h(
        'div',
        { class: 'button-row' },
        button(scope, { 'data-testid': 'save-report', 'aria-label': text.verdict.saveLabel }, actions.saveReport, icon('download'), text.verdict.save),
        button(scope, { 'data-testid': 'print' }, actions.print, text.verdict.print),
      ),
    ),
    edited,
    coverage,
    cause,
    reading,
    backends,
  );
  scope.on(heading, 'click', ({ target }) => {
    const stage = target instanceof Element ? target.closest<HTMLElement>('[data-go-to]')?.dataset.goTo : undefined;
    if (stage !== undefined) actions.goTo(stage);
  });
  return {
    element,
    heading,
    update: whenChanged(
      ({ reports, tolerances, webgpuMissing }) => [reports, tolerances, webgpuMissing],
      (state) => {
        const headline = headlineOf(state);
        element.hidden = headline === null;
        if (!headline) return;
        element.dataset.verdict = headline.verdict;
        heading.replaceChildren(...lineOf(headline, verdictSentence(state) ?? ''));
        const sentence = causeSentence(stageRows(state).find(({ name }) => name === headline.firstDivergence));
        setText(cause, sentence ?? '');
        cause.hidden = sentence === null;
        const remarks = coverageSentences(headline, state);
        setText(coverage, remarks.join(' '));
        coverage.hidden = remarks.length === 0;
        setText(reading, text.verdict.readings[headline.reading]);
        // Running the other backend is no useful advice if all pass or it is unavailable.
        reading.hidden = headline.reading === 'one-backend' && (headline.verdict !== 'fail' || state.webgpuMissing !== null);
        backends.replaceChildren(...headline.reports.map(backendLine));
        edited.hidden = state.tolerances.size === 0;
      },
    ),
  };
}

/** The sentence with the stage name as a link. */
function lineOf({ firstDivergence, decisions }: Headline, sentence: string): (Node | string)[] {
  if (firstDivergence === null) return [sentence];
  const counts = decisionsText(decisions);
  return [counts === null ? '' : `${counts}. `, text.verdict.fail, ' ', h('strong', { 'data-testid': 'first-divergence', title: text.verdict.goTo }, stageLink(firstDivergence))];
}

/**
 * Sentences about the origin of differing decisions, uncompared stages, and whether the first divergence may be one of
 * them.
 */
function coverageSentences({ coverage, firstDivergence, decisions }: Headline, state: State): string[] {
  const { uncompared, isOutputCompared, compared, total } = coverage;
  const first = stageRows(state).find(({ name }) => name === firstDivergence);
  const gap = (first?.wasm ?? first?.webgpu)?.uncomparedBefore ?? [];
  const names = uncompared.map(({ name, mergedWith }) => (mergedWith === null ? name : `${name} (${text.verdict.mergedWith(mergedWith)})`));
  const causes = decisions.flatMap((one) => one.causes.map(({ stage, count }) => `${stage} (${count})`));
  return [
    ...(causes.length > 0 ? [text.verdict.decisionCauses(someOf(causes))] : []),
    ...(firstDivergence !== null && uncompared.length > 0 ? [text.verdict.part(compared, total)] : []),
    ...(uncompared.length > 0 ? [text.verdict.uncompared(someOf(names))] : []),
    ...(isOutputCompared ? [] : [text.verdict.noOutput]),
    ...(gap.length > 0 ? [text.verdict.gap(someOf(gap))] : []),
  ];
}

const MAX_NAMES = 4;

function someOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return more > 0 ? `${names.slice(0, MAX_NAMES).join(', ')} ${text.verdict.andMore(more)}` : names.join(', ');
}

function backendLine({ backend, adapter, verdict, firstDivergence, stages, seconds }: ComparisonReport): HTMLElement {
  const failing = stages.filter((stage) => stage.verdict === 'fail').length;
  return h(
    'li',
    { 'data-testid': `backend-verdict-${backend}`, 'data-verdict': verdict, 'data-first-divergence': firstDivergence ?? '' },
    h('span', { class: `badge badge--${verdict}` }, text.verdicts[verdict]),
    h('b', {}, text.backends[backend]),
    adapter !== null && h('span', { class: 'fine' }, adapter),
    h('span', { class: 'fine' }, text.verdict.backend(failing, stages.length, seconds)),
    firstDivergence !== null && h('span', { class: 'fine' }, text.verdict.first(firstDivergence)),
  );
}
