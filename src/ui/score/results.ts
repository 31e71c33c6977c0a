import type { Annotation } from '../../editing/annotation';
import type { Evaluation } from '../../score/evaluation';
import { h, setText } from '../dom';
import { markSwatch, swatch } from '../lanes/label';
import { speakerName } from '../lanes/model';
import type { Studio } from '../studio/studio';
import type { ScoreActions, ScoreSection } from './section';
import { PARTS, partsOf, speakerRows, type Part, type SpeakerRow } from './rows';
import { rate, scoreText, seconds } from './text';

/** The error rates, what they are made of, and who is taken for whom. */
export function createResults(studio: Studio, actions: ScoreActions): ScoreSection {
  const { scope } = studio;
  const der = figure('der', scoreText.der, scoreText.derHint);
  const jer = figure('jer', scoreText.jer, scoreText.jerHint);
  const bar = h('div', { class: 'score__bar', 'aria-hidden': 'true' });
  const parts = PARTS.map(partLine);
  const total = h('p', { class: 'fine', 'data-testid': 'score-total' });
  const speakers = h('tbody', {});
  const { columns } = scoreText;
  const table = h(
    'table',
    { class: 'score__table' },
    h('caption', {}, scoreText.speakers),
    h(
      'thead',
      {},
      h('tr', {}, ...[columns.reference, columns.result, columns.speech, columns.lost, columns.added, columns.error].map((name) => h('th', { scope: 'col' }, name))),
    ),
    speakers,
  );
  const take = h('button', { type: 'button', class: 'button button--small', 'data-testid': 'score-take-names' }, scoreText.takeNames);
  scope.on(take, 'click', actions.takeNames);
  const element = h(
    'section',
    { class: 'score__results', 'aria-label': scoreText.results, hidden: true },
    h('dl', { class: 'score__figures' }, der.element, jer.element),
    h('div', { class: 'score__parts' }, bar, h('ul', {}, ...parts.map((part) => part.element)), total),
    // It scrolls on a narrow screen, so the keyboard must reach it.
    h('div', { class: 'score__scroller', role: 'group', tabindex: 0, 'aria-label': scoreText.speakersScroll }, table),
    take,
  );

  let shown: Evaluation | null = null;
  let named: Annotation['speakers'] | null = null;
  return {
    element,
    update({ evaluation }) {
      const { annotation } = studio.get();
      element.hidden = evaluation === null;
      if (!evaluation || (evaluation === shown && annotation.speakers === named)) return;
      shown = evaluation;
      named = annotation.speakers;
      der.update(evaluation.score.der);
      jer.update(evaluation.jaccard.jer);
      const values = partsOf(evaluation);
      for (const part of parts) part.update(values, evaluation.score.total);
      setText(total, scoreText.total(evaluation.score.total));
      bar.replaceChildren(...PARTS.filter((part) => values[part] > 0).map((part) => segment(part, values[part])));
      speakers.replaceChildren(...speakerRows(evaluation).map((row) => speakerLine(row, annotation)));
    },
  };
}

function figure(id: string, name: string, hint: string): { readonly element: HTMLElement; readonly update: (fraction: number) => void } {
  const value = h('data', { value: '', class: 'score__figure mono', 'data-testid': `score-${id}` });
  return {
    element: h('div', {}, h('dt', {}, name), h('dd', {}, value), h('dd', { class: 'fine' }, hint)),
    update(fraction) {
      setText(value, rate(fraction));
      value.value = String(fraction);
    },
  };
}

/** A part in words, with the sign that it has in the bar and on the lanes. */
function partLine(part: Part): { readonly element: HTMLElement; readonly update: (values: Readonly<Record<Part, number>>, total: number) => void } {
  const value = h('data', { value: '', class: 'mono', 'data-testid': `score-${part}` });
  const sign = part === 'correct' ? h('span', { class: 'mark-swatch score__correct', 'aria-hidden': 'true' }) : markSwatch(part);
  return {
    element: h('li', {}, sign, h('span', {}, scoreText.partNames[part]), value),
    update(values, total) {
      // Without speech in the reference there is nothing to be a fraction of; the rule is the one of `der`.
      const fraction = total > 0 ? values[part] / total : Number(values[part] > 0);
      setText(value, scoreText.part(values[part], fraction));
      value.value = String(values[part]);
    },
  };
}

function segment(part: Part, length: number): HTMLElement {
  const look = part === 'correct' ? 'score__correct' : `mark-swatch mark-swatch--${part}`;
  return h('span', { class: `score__segment ${look}`, style: `flex-grow:${length}` });
}

function speakerLine({ reference, speaker, speechSeconds, lostSeconds, addedSeconds, jaccardError }: SpeakerRow, annotation: Annotation): HTMLElement {
  const index = annotation.speakers.findIndex(({ id }) => id === speaker);
  const known = annotation.speakers[index];
  const nobody = (): HTMLElement => h('span', { class: 'fine' }, scoreText.nobody);
  return h(
    'tr',
    { 'data-testid': 'score-speaker-row' },
    h('th', { scope: 'row' }, reference ?? nobody()),
    h('td', {}, known ? h('span', { class: 'score__speaker' }, swatch(known.colour), speakerName(known, index)) : (speaker ?? nobody())),
    ...[reference === null ? '–' : seconds(speechSeconds), reference === null ? '–' : seconds(lostSeconds), seconds(addedSeconds), jaccardError === null ? '–' : rate(jaccardError)].map(
      (value) => h('td', { class: 'mono' }, value),
    ),
  );
}
