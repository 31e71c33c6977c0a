import { h, setText } from '../../ui-kit/dom';
import { failureDetails } from '../../ui-kit/failure';
import { fileButton } from '../../ui-kit/files';
import type { TurnsMode } from '../../ui-kit/tracks/model';
import type { Editor } from '../editor/editor';
import { text } from '../../ui-kit/texts/text';
import type { FileRole, ScoreActions, ScoreSection, ScoreState } from './model';
import { scoreText } from './text';

const MODES = ['overlapping', 'exclusive'] as const satisfies readonly TurnsMode[];
/** Total widths, as in pyannote.metrics. */
const COLLARS = ['0', '0.25', '0.5'] as const;

/** The setup: the files, the recording if there are several, and the scoring options. */
export function createSetup(editor: Editor, actions: ScoreActions): ScoreSection {
  const lead = h('div', { class: 'score__lead' }, h('p', {}, scoreText.lead), h('p', { class: 'fine' }, scoreText.leadUem));
  const reference = fileLine(editor, actions, 'reference', '.rttm,.txt,text/plain');
  const uem = fileLine(editor, actions, 'uem', '.uem,.txt,text/plain');
  const recording = recordingChoice(editor, actions);
  const failure = h('div', { class: 'score__failure', role: 'alert', 'data-testid': 'score-failure', hidden: true });
  const options = optionFields(editor, actions);
  const files = h('div', { class: 'score__files', role: 'group', 'aria-label': scoreText.files }, reference.element, uem.element);
  let shownFailure: ScoreState['failure'] = null;

  return {
    element: h('div', { class: 'score__setup' }, lead, files, failure, recording.element, options.element),
    update(state) {
      lead.hidden = state.reference !== null;
      reference.update(state);
      uem.update(state);
      recording.update(state);
      options.update(state);
      // Only once: refilling a live region announces it again.
      if (state.failure === shownFailure) return;
      shownFailure = state.failure;
      failure.hidden = shownFailure === null;
      failure.replaceChildren(...(shownFailure ? failureWords(shownFailure) : []));
    },
  };
}

function failureWords({ file, failure }: NonNullable<ScoreState['failure']>): readonly Node[] {
  const heading = h('h3', {}, file === null ? scoreText.noScore : scoreText.refused(file));
  return failure.code === null
    ? [heading, failureDetails(failure, text.error)]
    : [heading, failureDetails(failure, text.error), h('p', { class: 'fine mono' }, text.error.code(failure.code))];
}

/** A file line: the name with a button to remove it, and a button to choose another file. */
function fileLine({ scope }: Editor, { open, dispatch }: ScoreActions, role: FileRole, accept: string): ScoreSection {
  const isReference = role === 'reference';
  const words = isReference
    ? { choose: scoreText.chooseReference, other: scoreText.otherReference }
    : { choose: scoreText.chooseUem, other: scoreText.otherUem };
  const choose = fileButton(
    scope,
    words.choose,
    (files) => {
      open(files, role);
    },
    { accept, isMultiple: false, isFolder: false, isPrimary: isReference, testId: `${role}-input` },
  );
  const label = choose.querySelector('label')!;
  const name = h('span', { class: 'score__file-name', 'data-testid': `${role}-name` });
  const remove = h('button', { type: 'button', class: 'link-button', 'data-testid': `remove-${role}` }, scoreText.removeShort);
  scope.on(remove, 'click', () => {
    dispatch({ type: isReference ? 'reference-removed' : 'uem-removed' });
    // The clicked button is gone: move the focus to the file button.
    choose.querySelector('input')?.focus();
  });
  const about = h('span', { class: 'score__file-about' }, h('span', { class: 'legend' }, scoreText[role]), name, remove);
  return {
    element: h('div', { class: 'score__file' }, about, choose),
    update(state) {
      const file = state[role]?.file ?? null;
      about.hidden = file === null;
      setText(name, file ?? '');
      remove.setAttribute('aria-label', scoreText.remove(file ?? ''));
      setText(label, file === null ? words.choose : words.other);
      label.classList.toggle('button--primary', isReference && file === null);
    },
  };
}

/** Asks which recording in the reference matches, if there are several. */
function recordingChoice({ scope }: Editor, { dispatch }: ScoreActions): ScoreSection {
  const select = h('select', { class: 'field', 'data-testid': 'score-recording' });
  const question = h('p', { class: 'fine' });
  const element = h('div', { class: 'score__recording', hidden: true }, question, h('label', { class: 'labeled' }, h('span', {}, scoreText.recording), select));
  scope.on(select, 'change', () => {
    if (select.value !== '') dispatch({ type: 'recording-chosen', recording: select.value });
  });
  let listed: ScoreState['reference'] = null;
  return {
    element,
    update({ reference, recording }) {
      element.hidden = (reference?.recordings.size ?? 0) < 2;
      if (reference !== listed) {
        listed = reference;
        const names = [...(reference?.recordings.keys() ?? [])];
        select.replaceChildren(
          h('option', { value: '', disabled: true }, scoreText.chooseRecording),
          ...names.map((name) => h('option', { value: name }, name)),
        );
        setText(question, reference ? scoreText.whichRecording(reference.file) : '');
      }
      question.hidden = recording !== null;
      select.value = recording ?? '';
    },
  };
}

function optionFields(editor: Editor, { dispatch }: ScoreActions): ScoreSection {
  const { scope } = editor;
  const collar = h(
    'select',
    { class: 'field', 'data-testid': 'score-collar' },
    ...COLLARS.map((width) => h('option', { value: width }, scoreText.collars[width])),
  );
  const skip = h('input', { type: 'checkbox', 'data-testid': 'score-skip-overlap' });
  const modes = MODES.map((mode) => {
    const radio = h('input', { type: 'radio', name: 'score-mode', value: mode, class: 'visually-hidden', 'data-testid': `score-mode-${mode}` });
    scope.on(radio, 'change', () => {
      editor.setMode(mode);
    });
    return { mode, radio, element: h('label', {}, radio, h('span', {}, scoreText.modes[mode])) };
  });
  scope.on(collar, 'change', () => {
    dispatch({ type: 'options-changed', collarSeconds: Number(collar.value) });
  });
  scope.on(skip, 'change', () => {
    dispatch({ type: 'options-changed', skipOverlap: skip.checked });
  });
  const element = h(
    'fieldset',
    { class: 'score__options', hidden: true },
    h('legend', { class: 'legend' }, scoreText.options),
    h('label', { class: 'labeled' }, h('span', {}, scoreText.collar), collar),
    h('label', { class: 'check' }, skip, scoreText.skipOverlap),
    h(
      'div',
      { class: 'score__modes' },
      h('fieldset', { class: 'segmented' }, h('legend', { class: 'visually-hidden' }, scoreText.turns), ...modes.map((mode) => mode.element)),
      h('span', { class: 'fine' }, scoreText.modesHint),
    ),
  );
  return {
    element,
    update({ reference, collarSeconds, skipOverlap }) {
      element.hidden = reference === null;
      collar.value = String(collarSeconds);
      skip.checked = skipOverlap;
      for (const { mode, radio } of modes) radio.checked = editor.get().mode === mode;
    },
  };
}
