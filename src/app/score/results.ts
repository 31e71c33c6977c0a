import type { Annotation, Edit, EditableTurn } from '../../editing/annotation';
import type { ErrorKind, ErrorSegment } from '../../score/der';
import type { Evaluation } from '../../score/score';
import { h, setText } from '../../ui-kit/dom';
import { type Mark, speakerName } from '../../ui-kit/tracks/model';
import { markSwatch, swatch } from '../../ui-kit/tracks/palette';
import type { Editor } from '../editor/editor';
import type { ScoreActions, ScoreSection } from './model';
import { rate, scoreText, seconds } from './text';

/** A row of the speaker table: a speaker of the reference, of the result, or of both. */
interface SpeakerRow {
  /** Name in the reference; null for a speaker found only in the result. */
  readonly reference: string | null;
  /** Id in the annotation; null if no speaker is mapped to the reference speaker. */
  readonly speaker: string | null;
  /** Scored speech in the reference, in seconds. */
  readonly speechSeconds: number;
  /** The part of it that is missing in the result or assigned to another speaker. */
  readonly lostSeconds: number;
  /** Speech that the result assigns to the speaker but the reference does not. */
  readonly addedSeconds: number;
  /** Jaccard error rate of the speaker; null if there is none. */
  readonly jaccardError: number | null;
}

/** The speakers of the reference by name, followed by the unmapped speakers of the result. */
export function speakerRows({ score, jaccard, errors }: Evaluation): SpeakerRow[] {
  const lost = secondsBy(errors, 'reference');
  const added = secondsBy(errors, 'hypothesis');
  const mapping = Object.entries(score.mapping);
  const known = jaccard.speakers.map(({ reference, speechSeconds, error }): SpeakerRow => {
    const speaker = mapping.find(([, partner]) => partner === reference)?.[0] ?? null;
    return {
      reference,
      speaker,
      speechSeconds,
      lostSeconds: lost.get(reference) ?? 0,
      addedSeconds: (speaker === null ? 0 : added.get(speaker)) ?? 0,
      jaccardError: error,
    };
  });
  const mapped = new Set(mapping.map(([speaker]) => speaker));
  const others = [...added].filter(([speaker]) => !mapped.has(speaker)).sort(([a], [b]) => (a < b ? -1 : 1));
  const unknown = others.map(
    ([speaker, addedSeconds]): SpeakerRow => ({ reference: null, speaker, speechSeconds: 0, lostSeconds: 0, addedSeconds, jaccardError: null }),
  );
  return [...known, ...unknown];
}

function secondsBy(errors: readonly ErrorSegment[], side: 'reference' | 'hypothesis'): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const error of errors) {
    const speaker = error[side];
    if (speaker !== null) seconds.set(speaker, (seconds.get(speaker) ?? 0) + error.endSeconds - error.startSeconds);
  }
  return seconds;
}

/** The edits that rename each mapped speaker as in the reference. */
export function renamesOf({ speakers }: Annotation, { score }: Evaluation): Edit[] {
  const names = new Map(Object.entries(score.mapping));
  return speakers.flatMap(({ id, name }): Edit[] => {
    const next = names.get(id);
    return next === undefined || next === name ? [] : [{ type: 'rename-speaker', speaker: id, name: next }];
  });
}

/** The marks of the errors on the tracks. */
export function marksOf(errors: readonly ErrorSegment[]): Mark[] {
  return errors.map(({ kind, startSeconds, endSeconds, hypothesis }) => ({ kind, startSeconds, endSeconds, speaker: hypothesis }));
}

/** The turn of the error's speaker that covers most of the error; null for missed speech. */
export function turnOf({ turns }: Annotation, error: ErrorSegment): EditableTurn | null {
  let found: EditableTurn | null = null;
  let most = 0;
  for (const turn of turns) {
    if (turn.startSeconds >= error.endSeconds) break;
    if (turn.speaker !== error.hypothesis) continue;
    const shared = Math.min(turn.endSeconds, error.endSeconds) - Math.max(turn.startSeconds, error.startSeconds);
    if (shared <= most) continue;
    found = turn;
    most = shared;
  }
  return found;
}

/** The parts of the bar in display order. Together they make up the speech of the reference and the false alarms. */
export const PARTS = ['correct', 'missed', 'confusion', 'false-alarm'] as const satisfies readonly (ErrorKind | 'correct')[];
type Part = (typeof PARTS)[number];

export function partsOf({ score }: Evaluation): Readonly<Record<Part, number>> {
  return { correct: score.correct, missed: score.missedSpeech, confusion: score.confusion, 'false-alarm': score.falseAlarm };
}

/** The error rates, their components, and the speaker mapping. */
export function createResults(editor: Editor, actions: ScoreActions): ScoreSection {
  const { scope } = editor;
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
    // Scrolls on a narrow screen, so it must be reachable by keyboard.
    h('div', { class: 'score__scroller', role: 'group', tabindex: 0, 'aria-label': scoreText.speakersScroll }, table),
    take,
  );

  let shown: Evaluation | null = null;
  let named: Annotation['speakers'] | null = null;
  return {
    element,
    update({ evaluation }) {
      const { annotation } = editor.get();
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

/** A legend line with the hatching used in the bar and on the tracks. */
function partLine(part: Part): { readonly element: HTMLElement; readonly update: (values: Readonly<Record<Part, number>>, total: number) => void } {
  const value = h('data', { value: '', class: 'mono', 'data-testid': `score-${part}` });
  const sign = part === 'correct' ? h('span', { class: 'mark-swatch score__correct', 'aria-hidden': 'true' }) : markSwatch(part);
  return {
    element: h('li', {}, sign, h('span', {}, scoreText.partNames[part]), value),
    update(values, total) {
      // Without speech in the reference there is no denominator. The rule is the same as in `der`.
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
    h('td', {}, known ? h('span', { class: 'score__speaker' }, swatch(known.color), speakerName(known, index)) : (speaker ?? nobody())),
    ...[reference === null ? '–' : seconds(speechSeconds), reference === null ? '–' : seconds(lostSeconds), seconds(addedSeconds), jaccardError === null ? '–' : rate(jaccardError)].map(
      (value) => h('td', { class: 'mono' }, value),
    ),
  );
}
