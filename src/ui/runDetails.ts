import { h } from './dom';
import { clock, decimal, ratio, span } from './format';
import { STAGE_GROUPS } from './stageGroups';
import { SELF_CHECK_ID, selfCheckDetails } from './selfCheck';
import type { Outcome } from './state';
import { backendName, text } from './text';
import { engineLanguage } from './texts/language';

/** What ran, where, and how long it took. */
export function runDetails({ result, processingSeconds }: Outcome): HTMLElement {
  if (!result || processingSeconds === null) return h('section', { class: 'panel run' });
  const { details, options, running, done } = text;
  const factor = result.durationSeconds > 0 ? processingSeconds / result.durationSeconds : 0;
  const row = (name: string, ...value: (Node | string | false)[]): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, ...value));

  const stages = STAGE_GROUPS.map(({ id, stages: members }) => ({
    name: running.stages[id],
    seconds: members.reduce((sum, stage) => sum + (result.timings[stage] ?? 0), 0),
  }));
  const longest = Math.max(...stages.map(({ seconds }) => seconds), 0.001);

  const check = selfCheckDetails(result.backend);
  const checkFailed = result.backend.selfCheck?.some((proof) => !proof.passed) ?? false;

  return h(
    'section',
    { class: 'panel run' },
    h('h3', { class: 'legend' }, done.run),
    h(
      'dl',
      { class: 'facts facts--compact' },
      row(
        details.preset,
        h('span', { 'data-testid': 'preset-line' }, result.preset),
        h('span', { class: 'fine mono', title: result.embeddingModel }, details.embeddingModel(result.embeddingModel)),
        result.modelNote !== null && h('span', { class: 'fine', lang: engineLanguage, 'data-testid': 'model-note' }, result.modelNote),
      ),
      row(
        details.speed,
        h('span', { 'data-testid': 'speed-line' }, details.speeds[result.speed]),
        h('span', { class: 'fine' }, options.speedCost[result.speed].what),
      ),
      row(
        details.backend,
        h('span', { 'data-testid': 'backend-line' }, backendName(result.backend)),
        h('span', { class: 'fine', lang: engineLanguage }, result.backend.reason),
        checkFailed && h('a', { class: 'fine', href: `#${SELF_CHECK_ID}` }, text.selfCheck.link),
      ),
      row(details.processing, h('span', { class: 'mono' }, span(processingSeconds))),
      row(
        details.factor,
        h('span', { class: 'mono' }, ratio(factor)),
        factor > 0 && h('span', { class: 'fine' }, details.faster(factor)),
      ),
      row(details.audio, h('span', { class: 'mono' }, clock(result.durationSeconds, 2))),
    ),
    ...(check ? [check] : []),
    h('h4', { class: 'legend' }, details.stages),
    h(
      'ul',
      { class: 'timings' },
      ...stages.map(({ name, seconds }) =>
        h(
          'li',
          {},
          h('span', {}, name),
          h('span', { class: 'timings__bar', style: `--part:${seconds / longest}`, 'aria-hidden': 'true' }),
          h('span', { class: 'mono' }, `${decimal(seconds, seconds < 10 ? 2 : 1)} s`),
        ),
      ),
    ),
    h('p', { class: 'fine' }, details.stagesHint),
  );
}
