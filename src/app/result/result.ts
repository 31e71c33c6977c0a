import type { SpeakerCount } from '../../engine/speakerCount';
import { h, setText } from '../../ui-kit/dom';
import { fileButton } from '../../ui-kit/files';
import { clock, decimal } from '../../ui-kit/format';
import { tracksOfAnnotation } from '../../ui-kit/tracks/model';
import { Player } from '../../ui-kit/player';
import { createFileNotes } from './fileNotes';
import { createReviewPanel, type ReviewPanel } from '../review/panel';
import { runDetails } from './runDetails';
import { createScorePanel, type ScorePanel } from '../score/panel';
import { unmetBounds } from '../speakerCount/text';
import { createSpeakerCountPanel } from '../speakerCount/panel';
import { keptVoicesSource } from '../speakerCount/session';
import { actOn, createHelpDialog, steerByKeys } from '../editor/shortcuts';
import { createExportMenu, takeFiles } from '../editor/importExport';
import { shownTurns } from '../editor/shownTurns';
import { createSpeakersPanel } from '../editor/speakersPanel';
import { createStatusLine, createTabs, type Tab } from './tabs';
import { createEditor, type Editor } from '../editor/editor';
import { editorText } from '../editor/text';
import { createTimeline } from '../editor/timeline';
import { createTurnEditor } from '../editor/turnEditor';
import type { Outcome } from '../state';
import { text } from '../../ui-kit/texts/text';
import { createTranscriptPanel, type TranscriptPanel } from '../transcript/panel';
import { createTurnTable } from '../../ui-kit/turnTable';
import type { View, ViewContext, Work } from '../view';
import { showWaveform } from './waveform';
import { isVast, MAX_TURNS_AT_ONCE } from '../workspace/limits';
import { workText } from '../workspace/text';

type TabId = 'turns' | 'review' | 'count' | 'transcript' | 'score' | 'run';

/** The result view: shows a result with playback, correction, review, scoring, and export. */
export function doneView(context: ViewContext): View {
  const { scope, state, actions, theme, work } = context;
  if (state.phase.kind !== 'done') throw new Error('The done view needs the done phase');
  const { outcome } = state.phase;
  if (outcome.result && outcome.annotation.turns.length === 0) return silentView(context, outcome);

  const { durationSeconds } = outcome.annotation;
  const player = new Player(scope, outcome.blob, durationSeconds);
  const status = createStatusLine(scope);
  const editor = createEditor(scope, {
    outcome,
    corrections: work.correctionsOf(outcome),
    theme,
    player,
    say: status.say,
  });
  const table = createTable(editor);
  // Created with their tabs or when a file is dropped.
  let review: ReviewPanel | null = null;
  let score: ScorePanel | null = null;
  let transcript: TranscriptPanel | null = null;
  const timeline = createTimeline(editor, () => {
    for (const follower of [table, review, transcript]) follower?.setPosition(player.position, player.playing);
  });
  if (outcome.blob) {
    showWaveform(scope, timeline.tracks, {
      blob: outcome.blob,
      track: outcome.result?.tracks.find(({ isRead }) => isRead)?.number,
      kept: work.peaksOf(outcome),
      onRead: (peaks) => {
        work.keepPeaks(outcome, peaks);
      },
    });
  }

  const speakers = createSpeakersPanel(editor);
  const voices = work.voicesOf(outcome);
  const { tab } = editorText;
  const panels: Tab<TabId>[] = [
    { id: 'turns', label: tab.turns, make: () => table.element },
    { id: 'review', label: tab.review, make: () => tooManyTurns(editor) ?? (review ??= createReviewPanel(editor)).element },
    {
      id: 'count',
      label: tab.count,
      make: () => createSpeakerCountPanel(editor, voices ? keptVoicesSource(voices) : { absence: outcome.result ? 'dropped' : 'imported' }).element,
    },
    { id: 'transcript', label: tab.transcript, make: () => tooManyTurns(editor) ?? (transcript ??= createTranscriptPanel(editor)).element },
    { id: 'score', label: tab.score, make: () => tooManyTurns(editor, workText.scoreCommand) ?? (score ??= createScorePanel(editor)).element },
  ];
  if (outcome.result) panels.push({ id: 'run', label: tab.run, make: () => runDetails(outcome), isEager: true });
  const tabs = createTabs(scope, editorText.tabs, panels);

  const reportTooMany = (): void => {
    editor.say(workText.tooManyHere(editor.get().annotation.turns.length, MAX_TURNS_AT_ONCE));
  };
  const take = (files: readonly File[], purpose: 'drop' | 'edit'): void => {
    void takeFiles(editor, files, purpose, {
      reference(given) {
        tabs.show('score');
        if (score) score.openFiles(given);
        else reportTooMany();
      },
      transcript(given) {
        tabs.show('transcript');
        if (transcript) transcript.openFiles(given);
        else reportTooMany();
      },
    });
  };
  const exports = createExportMenu(editor);
  const help = createHelpDialog(scope, (on) => {
    keyboard.setLetters(on);
  });
  const keyboard = steerByKeys(scope, (id, key) =>
    actOn({ editor, tracks: timeline.tracks, rename: speakers.rename, openExport: exports.open, openHelp: help.open }, id, key),
  );

  const { heading, head, summary } = createHead(editor, work, actions.reset, exports.element, help.open, (files) => {
    take([...files], 'edit');
  });
  const summarize = (): void => {
    const { annotation, proposal, mode } = editor.get();
    const shown = proposal ?? annotation;
    setText(summary, text.done.summary(shown.speakers.length, shownTurns(shown, mode).length, durationSeconds));
  };
  editor.onChange(scope, summarize);
  editor.onChange(scope, (next, previous) => {
    const { annotation, proposal, selected, mode } = previous;
    if (next.annotation !== annotation || next.proposal !== proposal || next.selected !== selected || next.mode !== mode) status.clear();
  });
  summarize();

  return {
    element: h(
      'div',
      { class: 'view view--done' },
      head,
      fileNotes(context, outcome),
      timeline.element,
      status.element,
      h('div', { class: 'editor' }, tabs.element, h('div', { class: 'editor__side' }, createTurnEditor(editor).element, speakers.element)),
      help.element,
    ),
    heading,
    update: () => undefined,
    take: (files) => {
      take(files, 'drop');
    },
  };
}

/** Shown instead of a panel that processes all turns at once; null if there are not too many turns. */
function tooManyTurns(editor: Editor, more: string | null = null): HTMLElement | null {
  const { annotation } = editor.get();
  if (!isVast(annotation)) return null;
  return h(
    'section',
    { class: 'too-many', 'data-testid': 'too-many-turns' },
    h('p', {}, workText.tooManyHere(annotation.turns.length, MAX_TURNS_AT_ONCE)),
    h('p', { class: 'fine' }, workText.tooManyHint, more === null ? '' : ` ${more}.`),
  );
}

/** The table of turns, synchronized with the tracks. */
function createTable(editor: Editor): ReturnType<typeof createTurnTable> {
  const { scope, player } = editor;
  const table = createTurnTable(scope, {
    words: { label: text.done.table, ...text.done.columns, corrected: editorText.corrected },
    formats: { clock, decimal },
    onPlay: (turn) => {
      player.playFrom(turn.startSeconds);
    },
    onSelect: ({ id }) => {
      editor.select(id ?? null);
    },
  });
  const showTurns = (): void => {
    const { annotation, proposal, mode } = editor.get();
    const shown = proposal ?? annotation;
    const turns = shownTurns(shown, mode);
    table.setTurns(turns, tracksOfAnnotation(shown, turns));
  };
  editor.onChange(scope, (next, previous) => {
    if (next.annotation !== previous.annotation || next.proposal !== previous.proposal || next.mode !== previous.mode) showTurns();
    table.setSelected(next.selected);
  });
  showTurns();
  return table;
}

interface Head {
  readonly head: HTMLElement;
  readonly heading: HTMLElement;
  readonly summary: HTMLElement;
}

/** The header: name, summary, and the actions on the whole result. */
function createHead(
  editor: Editor,
  work: Work,
  onAgain: () => void,
  exportMenu: HTMLElement,
  onHelp: () => void,
  onFiles: (files: Iterable<File>) => void,
): Head {
  const { scope } = editor;
  const button = (attributes: Readonly<Record<string, string>>, onClick: () => void, ...content: (Node | string)[]): HTMLButtonElement => {
    const element = h('button', { type: 'button', class: 'button', ...attributes }, ...content);
    scope.on(element, 'click', onClick);
    return element;
  };
  const undo = button({ 'data-testid': 'undo', title: `${editorText.undo} (Ctrl+Z)` }, editor.undo, editorText.undo);
  const redo = button({ 'data-testid': 'redo', title: `${editorText.redo} (Ctrl+Shift+Z)` }, editor.redo, editorText.redo);
  const refresh = (): void => {
    const { canUndo, canRedo } = editor.get();
    undo.disabled = !canUndo;
    redo.disabled = !canRedo;
  };
  editor.onChange(scope, refresh);
  refresh();
  const importing = fileButton(scope, editorText.importing.button, onFiles, {
    accept: '.rttm,.json,.srt,.vtt',
    isMultiple: true,
    isFolder: false,
    isPrimary: false,
    testId: 'import-input',
  });
  importing.title = editorText.importing.hint;
  const heading = h('h2', { class: 'title' }, editor.outcome.name);
  const summary = h('p', { class: 'status', 'data-testid': 'summary' });
  const saved = h('span', { 'data-testid': 'save-state' });
  work.onSaveState(scope, (state) => {
    setText(saved, workText.saveState[state]);
    saved.classList.toggle('legend--alert', state === 'unsaved');
  });
  // Absent in results of earlier releases.
  const counted: SpeakerCount | undefined = editor.outcome.result?.speakerCount;
  const unmet = counted ? unmetBounds(counted) : null;
  const unmetLine = unmet === null ? null : h('p', { class: 'status', 'data-testid': 'unmet-bounds' }, unmet);
  if (unmetLine) {
    // The note refers to the number of speakers found by the run.
    editor.onChange(scope, ({ annotation }) => {
      unmetLine.hidden = annotation.speakers.length !== counted?.value;
    });
  }
  const head = h(
    'div',
    { class: 'view-head' },
    h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.done.label, ' · ', saved), heading, summary, ...(unmetLine ? [unmetLine] : [])),
    h(
      'div',
      { class: 'button-row' },
      undo,
      redo,
      button({ 'data-testid': 'show-keys' }, onHelp, editorText.keys, h('kbd', { 'aria-hidden': 'true' }, '?')),
      importing,
      exportMenu,
      button({ 'data-testid': 'new-recording', class: 'button button--primary' }, onAgain, text.done.again),
    ),
  );
  return { head, heading, summary };
}

/** Notes about reading the recording; null if there are none. */
function fileNotes({ scope, actions }: ViewContext, { result, blob }: Outcome): HTMLElement | null {
  return result && createFileNotes(scope, result, blob ? actions.readTrack : null);
}

/** The view of a recording without speech. */
function silentView(context: ViewContext, outcome: Outcome): View {
  const { scope, actions } = context;
  const { durationSeconds } = outcome.annotation;
  const heading = h('h2', { class: 'title' }, outcome.name);
  const again = h('button', { type: 'button', class: 'button button--primary', 'data-testid': 'new-recording' }, text.done.again);
  scope.on(again, 'click', actions.reset);
  const element = h(
    'div',
    { class: 'view view--done' },
    h(
      'div',
      { class: 'view-head' },
      h('div', { class: 'view-head__text' }, h('p', { class: 'legend' }, text.done.label), heading, h('p', { class: 'status' }, text.done.summary(0, 0, durationSeconds))),
      h('div', { class: 'button-row' }, again),
    ),
    fileNotes(context, outcome),
    h(
      'section',
      { class: 'panel silent' },
      h('div', { class: 'silent__line', 'aria-hidden': 'true' }),
      h('h3', {}, text.silent.heading),
      h('p', {}, text.silent.body(durationSeconds)),
      h('p', { class: 'fine' }, text.silent.hint),
    ),
    runDetails(outcome),
  );
  return { element, heading, update: () => undefined };
}
