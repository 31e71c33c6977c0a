import type { Annotation } from '../../editing/annotation';
import type { ErrorKind, ErrorSegment } from '../../score/der';
import { h, setText } from '../../ui-kit/dom';
import { clock } from '../../ui-kit/format';
import { markSwatch } from '../../ui-kit/tracks/palette';
import { speakerName } from '../../ui-kit/tracks/model';
import type { Editor } from '../editor/editor';
import { currentIndex, type ScoreActions, type ScoreSection, type ScoreState } from './model';
import { scoreText, seconds, type ToldError } from './text';

/** Number of rows per page. Three hours can have twenty thousand errors. Stepping to an error turns to its page. */
const PAGE_ROWS = 15;
const KINDS = ['all', 'missed', 'confusion', 'false-alarm'] as const satisfies readonly (ErrorKind | 'all')[];
/**
 * Choices for the minimum duration. A boundary that is off by a few frames is a correct but rarely relevant error of a
 * few hundredths of a second.
 */
const SHORTEST_SECONDS = [0, 0.1, 0.2, 0.5, 1];

/** The list of error segments, with stepping. */
export function createErrorList(editor: Editor, { dispatch, go, step }: ScoreActions): ScoreSection {
  const { scope } = editor;
  const kind = select('score-kind', KINDS.map((id) => [id, scoreText.kinds[id]]));
  const shortest = select('score-shortest', SHORTEST_SECONDS.map((value) => [String(value), value === 0 ? scoreText.anyLength : scoreText.atLeast(value)]));
  const mark = h('input', { type: 'checkbox', 'data-testid': 'score-mark' });
  scope.on(kind, 'change', () => {
    dispatch({ type: 'filtered', kind: KINDS.find((id): id is ErrorKind => id !== 'all' && id === kind.value) ?? null });
  });
  scope.on(shortest, 'change', () => {
    dispatch({ type: 'filtered', shortestSeconds: Number(shortest.value) });
  });
  scope.on(mark, 'change', () => {
    dispatch({ type: 'marking-changed', isMarked: mark.checked });
  });
  const stepper = (by: 1 | -1, label: string, name: string, key: string): HTMLElement => {
    const button = h(
      'button',
      { type: 'button', class: 'button button--small', 'aria-label': name, 'aria-keyshortcuts': key, 'data-testid': by === 1 ? 'score-next' : 'score-previous' },
      label,
      h('kbd', { 'aria-hidden': 'true' }, key.toUpperCase()),
    );
    scope.on(button, 'click', () => {
      step(by);
    });
    return button;
  };
  const current = h('p', { class: 'score__current', role: 'status', 'data-testid': 'score-current' });
  const steps = h(
    'div',
    { class: 'score__steps' },
    stepper(-1, scoreText.previous, scoreText.previousLabel, 'p'),
    stepper(1, scoreText.next, scoreText.nextLabel, 'n'),
    current,
  );
  const body = h('tbody', {});
  const { errorColumns } = scoreText;
  const range = h('span', { class: 'fine' });
  const table = h(
    'table',
    { class: 'score__table score__table--errors' },
    h('caption', {}, `${scoreText.list} · `, range),
    h('thead', {}, h('tr', {}, ...[errorColumns.start, errorColumns.length, errorColumns.what].map((name) => h('th', { scope: 'col' }, name)))),
    body,
  );
  const empty = h('p', { 'data-testid': 'score-no-errors' });
  const element = h(
    'section',
    { class: 'score__errors', 'aria-label': scoreText.errors, hidden: true },
    h('h3', { class: 'legend' }, scoreText.errors),
    h(
      'div',
      { class: 'score__filters' },
      h('label', { class: 'labeled' }, h('span', {}, scoreText.kind), kind),
      h('label', { class: 'labeled' }, h('span', {}, scoreText.shortest), shortest),
      h('label', { class: 'check' }, mark, scoreText.mark),
    ),
    empty,
    steps,
    table,
  );

  /** The data that the rows were built from. Rows are rebuilt only if it changes. */
  let made: { readonly errors: ScoreState['errors']; readonly speakers: Annotation['speakers']; readonly from: number } | null = null;
  scope.on(body, 'click', (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('tr[data-index]') : null;
    const error = row ? made?.errors[Number(row.dataset.index)] : undefined;
    if (error) go(error);
  });

  return {
    element,
    update(state) {
      const { evaluation, errors, isMarked } = state;
      element.hidden = evaluation === null;
      if (!evaluation) return;
      kind.value = state.kind ?? 'all';
      shortest.value = String(state.shortestSeconds);
      mark.checked = isMarked;
      const { speakers } = editor.get().annotation;
      const index = currentIndex(state);
      const error = errors[index];
      const names = namesOf(speakers);
      empty.hidden = errors.length > 0;
      steps.hidden = table.hidden = errors.length === 0;
      setText(empty, evaluation.errors.length === 0 ? scoreText.notOne : scoreText.noneShown);
      setText(
        current,
        error
          ? `${scoreText.position(index, errors.length)} · ${scoreText.where(error.startSeconds, error.endSeconds - error.startSeconds)} · ${describeError(error, names)}`
          : scoreText.counted(errors.length),
      );
      // Without a current error, the rows keep their position if possible.
      const place = index >= 0 ? index : Math.min(made?.from ?? 0, Math.max(0, errors.length - 1));
      const from = place - (place % PAGE_ROWS);
      const hadFocus = body.contains(document.activeElement);
      if (made?.errors !== errors || made.speakers !== speakers || made.from !== from) {
        made = { errors, speakers, from };
        const page = errors.slice(from, from + PAGE_ROWS);
        setText(range, scoreText.shown(from + 1, from + page.length, errors.length));
        body.replaceChildren(...page.map((one, offset) => errorRow(one, from + offset, names)));
      }
      for (const row of body.rows) {
        if (Number(row.dataset.index) === index) row.setAttribute('aria-current', 'true');
        else row.removeAttribute('aria-current');
      }
      // The focus follows the steps, also to newly built rows.
      if (hadFocus) (body.rows[Math.max(0, index - from)] ?? element).querySelector('button')?.focus({ preventScroll: true });
    },
  };
}

function select(testId: string, options: readonly (readonly [string, string])[]): HTMLSelectElement {
  return h('select', { class: 'field', 'data-testid': testId }, ...options.map(([value, label]) => h('option', { value }, label)));
}

function errorRow(error: ErrorSegment, index: number, names: ReadonlyMap<string, string>): HTMLElement {
  return h(
    'tr',
    { 'data-index': index, 'data-testid': 'score-error-row' },
    h('td', {}, h('button', { type: 'button', class: 'link-button mono' }, clock(error.startSeconds, 2))),
    h('td', { class: 'mono' }, seconds(error.endSeconds - error.startSeconds)),
    h('td', {}, h('span', { class: 'score__what' }, markSwatch(error.kind), describeError(error, names))),
  );
}

/** A description of the error with the displayed speaker names. */
function describeError({ kind, reference, hypothesis }: ErrorSegment, names: ReadonlyMap<string, string>): string {
  const words: ToldError = { kind, reference: reference ?? '', speaker: names.get(hypothesis ?? '') ?? hypothesis ?? '' };
  return scoreText.describeError(words);
}

function namesOf(speakers: Annotation['speakers']): ReadonlyMap<string, string> {
  return new Map(speakers.map((speaker, index) => [speaker.id, speakerName(speaker, index)]));
}
