import { errorsDe } from '../../ui/texts/de/errors';
import { errorsEn } from '../../ui/texts/en/errors';
import { h } from '../../ui/dom';
import type { VoxlaneError } from '../../util/errors';
import type { WidgetWords } from '../words';
import { button, recordingButton } from './button';
import type { WidgetContext, WidgetView } from './context';

/** What was wrong, what was expected, what to do, and the ways on. */
export function failedView({ scope, words, actions }: WidgetContext, name: string, error: VoxlaneError): WidgetView {
  const { failed } = words;
  const heading = h('h2', { class: 'title', tabindex: -1 }, failed.heading(name));
  // A file that cannot be read is the same the second time.
  const canRetry = !error.code.startsWith('audio-');
  const element = h(
    'div',
    { class: 'view failed', part: 'error' },
    h('div', { role: 'alert', class: 'failed__text' }, heading, errorFacts(error, words)),
    h(
      'div',
      { class: 'button-row' },
      recordingButton(scope, failed.choose, actions.open, !canRetry),
      canRetry && button(scope, failed.retry, actions.retry),
      actions.hasResult() && button(scope, failed.back, actions.back),
    ),
    h('p', { class: 'fine mono' }, failed.code(error.code)),
  );
  return { element, heading };
}

/** With the words of the browser or a library below, closed. */
function errorFacts(error: VoxlaneError, words: WidgetWords): HTMLElement {
  const { details } = error;
  const facts = wordsOf(error, words);
  if (details === undefined) return facts;
  return h(
    'div',
    {},
    facts,
    h('details', { class: 'original' }, h('summary', {}, words.failed.details), h('p', { class: 'mono', lang: words.engineLanguage }, details)),
  );
}

/** Where the widget is not English, first what the code means in its language, then the engine's own words. */
function wordsOf({ code, problem, expected, remedy }: VoxlaneError, { failed, engineLanguage }: WidgetWords): HTMLElement {
  if (engineLanguage === null) {
    return factList([
      [failed.problem, problem],
      [failed.expected, expected && sentenceCase(expected)],
      [failed.remedy, remedy ?? errorsEn[code].remedy],
    ]);
  }
  const meant = errorsDe[code];
  const own = [problem, expected && `Expected ${expected}`, remedy].filter((sentence) => sentence !== undefined && sentence !== '');
  return h(
    'div',
    {},
    factList([
      [failed.problem, meant.problem],
      [failed.remedy, meant.remedy],
    ]),
    h('details', { class: 'original' }, h('summary', {}, failed.original), ...own.map((sentence) => h('p', { lang: engineLanguage }, `${sentence}.`))),
  );
}

const sentenceCase = (words: string): string => words.replace(/^[a-z]+(?=[\s,;]|$)/, (first) => first.charAt(0).toUpperCase() + first.slice(1));

function factList(rows: readonly (readonly [name: string, value: string | undefined])[]): HTMLElement {
  return h('dl', { class: 'facts' }, ...rows.map(([name, value]) => (value ? h('div', {}, h('dt', {}, name), h('dd', {}, value)) : null)));
}
