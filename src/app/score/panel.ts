import type { ErrorSegment } from '../../score/der';
import { h, setText } from '../../ui-kit/dom';
import { failureOf } from '../../ui-kit/failure';
import { createStore } from '../../ui-kit/store';
import { shownTurns } from '../editor/shownTurns';
import type { Panel, Editor } from '../editor/editor';
import { readTextFile } from '../workspace/openFiles';
import { createErrorList } from './errorList';
import { checkReferenceBytes } from '../workspace/limits';
import {
  type FileRole,
  initialScore,
  readReference,
  readUem,
  reduceScore,
  roleOf,
  type ScoreAction,
  type ScoreActions,
  type ScoreState,
  stepFrom,
} from './model';
import { createResults, marksOf, renamesOf, turnOf } from './results';
import { createSetup } from './setup';
import { scoreText } from './text';

/** Dragging an edge makes many corrections. The score is computed after a pause. */
const PAUSE_MILLISECONDS = 150;

export interface ScorePanel extends Panel {
  /** Opens a reference and a UEM, in any order. The name or the content of a file determines its role. */
  readonly openFiles: (files: Iterable<File>) => void;
  /** Moves to the next error, wrapping around at the end: seeks the player and selects the turn. */
  readonly next: () => void;
  readonly previous: () => void;
}

/** The score panel: error rates, speaker mapping, and all errors, which are also drawn on the tracks. */
export function createScorePanel(editor: Editor): ScorePanel {
  const { scope } = editor;
  const store = createStore(reduceScore, initialScore(editor.outcome.name), update);
  const actions: ScoreActions = { open, dispatch, takeNames, go, step };
  const setup = createSetup(editor, actions);
  const results = createResults(editor, actions);
  const list = createErrorList(editor, actions);
  const status = h('p', { class: 'visually-hidden', role: 'status', 'data-testid': 'score-status' });
  const element = h('div', { class: 'score', 'data-testid': 'score-panel' }, setup.element, status, results.element, list.element);

  function score(): void {
    const { annotation, mode } = editor.get();
    // A proposal is not scored, since it may be discarded.
    store.dispatch({ type: 'scored', turns: shownTurns(annotation, mode) });
  }

  /** Recomputes the score after actions that affect it. */
  function dispatch(action: ScoreAction): void {
    store.dispatch(action);
    if (action.type !== 'filtered' && action.type !== 'marking-changed' && action.type !== 'file-refused') score();
  }

  function open(files: Iterable<File>, role?: FileRole): void {
    for (const file of files) void take(file, role);
  }

  async function take(file: File, role?: FileRole): Promise<void> {
    try {
      checkReferenceBytes(file);
      const text = await readTextFile(file, editor.say);
      if (scope.disposed) return;
      if ((role ?? roleOf(file.name, text)) === 'uem') dispatch({ type: 'uem-read', uem: readUem(file.name, text) });
      else dispatch({ type: 'reference-read', reference: readReference(file.name, text) });
    } catch (thrown) {
      if (!scope.disposed) dispatch({ type: 'file-refused', file: file.name, failure: failureOf(thrown) });
    }
  }

  function takeNames(): void {
    const { evaluation } = store.get();
    if (!evaluation) return;
    const renames = renamesOf(editor.get().annotation, evaluation);
    const done = renames.filter((rename) => editor.edit(rename)).length;
    if (renames.length === 0) editor.say(scoreText.namesAlready);
    else if (done > 0) editor.say(scoreText.namesTaken(done));
  }

  function go(error: ErrorSegment | null): void {
    store.dispatch({ type: 'went', error });
    if (!error) return;
    editor.player.seek(error.startSeconds);
    editor.select(turnOf(editor.get().annotation, error)?.id ?? null);
  }

  function step(by: 1 | -1): void {
    go(stepFrom(store.get(), by));
  }

  function update(next: ScoreState, previous: ScoreState): void {
    setup.update(next);
    results.update(next);
    list.update(next);
    if (next.errors !== previous.errors || next.isMarked !== previous.isMarked) {
      editor.setMarks(next.isMarked ? marksOf(next.errors) : []);
    }
    const { evaluation } = next;
    if (evaluation === previous.evaluation) return;
    setText(status, evaluation ? scoreText.summary(evaluation.score.der, evaluation.jaccard.jer, evaluation.errors.length) : '');
  }

  let timer = 0;
  scope.add(() => {
    clearTimeout(timer);
  });
  editor.onChange(scope, (next, previous) => {
    if (next.annotation === previous.annotation && next.mode === previous.mode) return;
    // Names and colors come from the annotation and are updated at once.
    update(store.get(), store.get());
    // They do not affect the score.
    if (next.annotation.turns === previous.annotation.turns && next.mode === previous.mode) return;
    clearTimeout(timer);
    if (store.get().reference) timer = window.setTimeout(score, PAUSE_MILLISECONDS);
  });
  scope.on(element, 'keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !(event.target instanceof Element)) return;
    // Letters search a focused select.
    if ((event.key !== 'n' && event.key !== 'p') || event.target.matches('select')) return;
    event.preventDefault();
    step(event.key === 'n' ? 1 : -1);
  });
  update(store.get(), store.get());

  return {
    element,
    openFiles: open,
    next() {
      step(1);
    },
    previous() {
      step(-1);
    },
  };
}
