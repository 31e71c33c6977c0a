import type { BackendReport, ModelCheck } from '../../engine/types';
import { h } from '../../ui-kit/dom';
import { clock, decimal, localized, ratio, span } from '../../ui-kit/format';
import { STAGE_GROUPS } from '../../ui-kit/stageGroups';
import { engineLanguage } from '../../ui-kit/texts/language';
import { backendName, text } from '../../ui-kit/texts/text';
import { lacks } from '../models/choices';
import type { Outcome } from '../state';

/** Id of the self-check report, for links to it. */
const SELF_CHECK_ID = 'self-check';

/** The self-check results per stage of each backend that was tried; null if none was checked. */
function selfCheckDetails({ selfCheck }: BackendReport): HTMLElement | null {
  if (!selfCheck) return null;
  const passed = selfCheck.every((check) => check.passed);
  const names: Readonly<Partial<Record<string, string>>> = text.selfCheck.backends;
  const rows = selfCheck.flatMap(({ model, backend, stages }) =>
    stages.map((stage) =>
      h(
        'tr',
        { 'data-testid': 'self-check-stage' },
        h('th', { scope: 'row' }, stage.stage, h('span', { class: 'fine' }, ` ${[model, names[backend]].filter(Boolean).join(', ')}`)),
        h('td', { class: 'mono' }, stage.maxAbs < Number.MAX_VALUE ? localized(stage.maxAbs.toPrecision(2)) : '–'),
        h('td', { class: 'mono' }, localized(String(stage.tolerance.maxAbs))),
        h('td', {}, stage.passed ? text.selfCheck.pass : text.selfCheck.fail),
      ),
    ),
  );
  return h(
    'details',
    { class: 'self-check', id: SELF_CHECK_ID, open: !passed, 'data-testid': 'self-check' },
    h('summary', {}, text.selfCheck.heading(passed)),
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h('tr', {}, ...text.selfCheck.columns.map((column) => h('th', { scope: 'col' }, column))),
      ),
      h('tbody', {}, ...rows),
    ),
    ...hintsOf(selfCheck).map((hint) => h('p', { class: 'fine' }, hint)),
    h(
      'ul',
      { class: 'self-check__links' },
      ...Array.from(new Set(selfCheck.map(({ model }) => model)), (model) =>
        h('li', {}, h('a', { href: `${text.compare.href}?${new URLSearchParams({ model }).toString()}` }, text.selfCheck.compare(model))),
      ),
    ),
  );
}

/** The consequence of a failed check, or a description of the check if it passed. */
function hintsOf(selfCheck: readonly ModelCheck[]): string[] {
  const failed = selfCheck.filter((check) => !check.passed);
  const { fallback, kernelFallback, hint } = text.selfCheck;
  if (failed.length === 0) return [hint];
  // Results of earlier releases only contain GPU checks, without a backend name.
  const hasKernels = failed.some(({ backend }) => backend === 'kernels');
  return [...(failed.some(({ backend }) => backend !== 'kernels') ? [fallback] : []), ...(hasKernels ? [kernelFallback] : [])];
}

/** Details of a run: preset, backend, and timings. */
export function runDetails({ result, processingSeconds }: Outcome): HTMLElement {
  if (!result || processingSeconds === null) return h('section', { class: 'panel run' });
  const { details, options, running, done } = text;
  const factor = result.durationSeconds > 0 ? processingSeconds / result.durationSeconds : 0;
  const row = (name: string, ...value: (Node | string | false)[]): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, ...value));

  const hasSpeeds = !lacks(result.preset, 'fast');
  const stages = STAGE_GROUPS.filter(({ stages: members }) => hasSpeeds || members.some((stage) => result.timings[stage] !== undefined)).map(({ id, stages: members }) => ({
    name: running.stages[id],
    seconds: members.reduce((sum, stage) => sum + (result.timings[stage] ?? 0), 0),
  }));
  const longest = Math.max(...stages.map(({ seconds }) => seconds), 0.001);

  const check = selfCheckDetails(result.backend);
  const checkFailed = result.backend.selfCheck?.some((check) => !check.passed) ?? false;

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
        result.embeddingModel !== null && h('span', { class: 'fine mono', title: result.embeddingModel }, details.embeddingModel(result.embeddingModel)),
        result.modelNote !== null && h('span', { class: 'fine', lang: engineLanguage, 'data-testid': 'model-note' }, result.modelNote),
      ),
      hasSpeeds &&
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
