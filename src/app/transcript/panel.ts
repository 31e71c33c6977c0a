import type { EditableTurn } from '../../editing/annotation';
import { exclusiveOf } from '../../editing/exclusive';
import {
  assignSpeakers,
  type SpokenTranscript,
  toTranscriptCsv,
  toTranscriptJson,
  toTranscriptSrt,
  toTranscriptVtt,
  withNames,
} from '../../transcript/spokenTranscript';
import { decodeTranscript, type Transcript } from '../../transcript/transcript';
import { button } from '../../ui-kit/controls';
import { h, icon, setText } from '../../ui-kit/dom';
import { type Failure, failureDetails, failureOf } from '../../ui-kit/failure';
import { download, fileButton } from '../../ui-kit/files';
import { stem } from '../../ui-kit/format';
import { speakerName } from '../../ui-kit/tracks/model';
import { loadPart } from '../../util/fetch';
import type { Panel, Editor } from '../editor/editor';
import { exportNamesOf } from '../editor/speakerNames';
import { isHidden, whenShown } from '../result/tabs';
import { readTextFile } from '../workspace/openFiles';
import { createCueList, transcriptText as words } from './cueList';

const TRANSCRIPT_FORMATS = ['srt', 'vtt', 'csv', 'json'] as const;
type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

const WRITERS: Readonly<Record<TranscriptFormat, { readonly type: string; readonly write: (transcript: SpokenTranscript) => string }>> = {
  srt: { type: 'application/x-subrip', write: toTranscriptSrt },
  vtt: { type: 'text/vtt', write: toTranscriptVtt },
  csv: { type: 'text/csv', write: toTranscriptCsv },
  json: { type: 'application/json', write: toTranscriptJson },
};

interface TranscriptFile {
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

/**
 * Exports a transcript with speakers as a file.
 *
 * @param names displayed names of the speakers, by id
 * @param recording name of the recording; the file name also contains `transcript`, to distinguish it from subtitles of the turns
 */
export function transcriptFile(
  format: TranscriptFormat,
  transcript: SpokenTranscript,
  names: ReadonlyMap<string, string>,
  recording: string,
): TranscriptFile {
  const { type, write } = WRITERS[format];
  return { name: `${stem(recording)}.transcript.${format}`, type, content: write(withNames(transcript, names)) };
}

const ACCEPT = '.srt,.vtt,.json,.tsv,.txt,text/vtt,application/json,application/x-subrip';

export interface TranscriptPanel extends Panel {
  /** Opens the first of the files as the transcript. Errors are shown in the panel. */
  readonly openFiles: (files: Iterable<File>) => void;
  /** Sets the state of the player. Call it on every change. */
  readonly setPosition: (seconds: number, playing: boolean) => void;
}

/** The transcript panel: text from a speech recognizer with the speakers of the result. */
export function createTranscriptPanel(editor: Editor): TranscriptPanel {
  const { scope } = editor;
  /** The transcript with its speakers, and the data it was computed from; null until needed. */
  let spoken: { readonly transcript: Transcript; readonly turns: readonly EditableTurn[]; readonly result: SpokenTranscript } | null = null;
  let opening = 0;

  const status = h('p', { class: 'fine', role: 'status', 'data-testid': 'transcript-status' });
  const failure = h('div', { class: 'transcript__failure', role: 'alert', hidden: true, 'data-testid': 'transcript-failure' });
  const openFiles = (files: Iterable<File>): void => {
    void open(files);
  };
  const chooser = (label: string, isPrimary: boolean, testId: string): HTMLElement =>
    fileButton(scope, label, openFiles, { accept: ACCEPT, isMultiple: false, isFolder: false, isPrimary, testId });
  const empty = h(
    'div',
    { class: 'transcript__empty', 'data-testid': 'transcript-empty' },
    h('h3', {}, words.empty.heading),
    h('p', {}, words.empty.body),
    h('p', { class: 'fine' }, words.empty.formats),
    h('p', { class: 'fine' }, words.empty.drop),
    chooser(words.choose, true, 'transcript-input'),
  );
  const title = h('h3', { class: 'transcript__file', tabindex: -1 });
  const list = createCueList(scope, (seconds) => {
    editor.player.playFrom(seconds);
  });
  const remove = button(scope, { 'data-testid': 'transcript-remove' }, () => {
    editor.setTranscript(null);
    empty.querySelector('input')?.focus();
  }, words.remove);
  const full = h(
    'div',
    { class: 'transcript__full', hidden: true },
    h(
      'div',
      { class: 'transcript__head' },
      title,
      h('div', { class: 'button-row' }, chooser(words.other, false, 'transcript-input-again'), remove),
    ),
    list.element,
    h(
      'div',
      { class: 'transcript__save', role: 'group', 'aria-label': words.save },
      h('span', { class: 'fine' }, words.save),
      ...TRANSCRIPT_FORMATS.map((format) => {
        const label = words.saveAs(words.formats[format]);
        return button(scope, { class: 'button button--small', 'aria-label': label, 'data-testid': `transcript-save-${format}` }, () => {
          save(format);
        }, icon('download'), words.formats[format]);
      }),
    ),
  );
  const element = h('section', { class: 'transcript', 'aria-label': words.label, 'data-testid': 'transcript-panel' }, failure, empty, full, status);

  async function open(files: Iterable<File>): Promise<void> {
    const [file, ...others] = files;
    if (!file) return;
    const own = ++opening;
    showFailure(file.name, null);
    setText(status, words.reading(file.name));
    try {
      const [content, { readTranscript }] = await Promise.all([readTextFile(file, editor.say, decodeTranscript), loadPart(() => import('../../transcript/readTranscript'))]);
      const transcript = readTranscript(file.name, content);
      // Another file was chosen in the meantime, or the user left the result.
      if (own !== opening || scope.disposed) return;
      if (others.length > 0) editor.say(words.onlyFirst);
      const hadFocus = empty.contains(document.activeElement);
      editor.setTranscript(transcript);
      if (hadFocus) title.focus();
    } catch (thrown) {
      if (own !== opening || scope.disposed) return;
      showFailure(file.name, failureOf(thrown));
      showStatus();
    }
  }

  function showFailure(file: string, failed: Failure | null): void {
    failure.hidden = failed === null;
    failure.replaceChildren(...(failed ? [h('p', { class: 'legend legend--alert' }, words.failed(file)), failureDetails(failed, words.labels)] : []));
  }

  /** The transcript with speakers, recomputed only after a correction of turns. */
  function spokenNow(): SpokenTranscript | null {
    const { transcript, annotation } = editor.get();
    if (!transcript) return null;
    if (spoken?.transcript !== transcript || spoken.turns !== annotation.turns) {
      // Uses exclusive turns: with overlapping ones, the speaker with the longer overlap would also get the other
      // speaker's words.
      spoken = { transcript, turns: annotation.turns, result: assignSpeakers(transcript, exclusiveOf(annotation)) };
    }
    return spoken.result;
  }

  function save(format: TranscriptFormat): void {
    const result = spokenNow();
    if (!result) return;
    const { name, type, content } = transcriptFile(format, result, exportNamesOf(editor.get().annotation), editor.outcome.name);
    download(name, type, content);
  }

  function showStatus(): void {
    const result = spokenNow();
    setText(status, result ? words.summary(result.cues.length, result.cues.filter(({ speaker }) => speaker === null).length) : '');
  }

  function update(): void {
    const { annotation } = editor.get();
    const result = spokenNow();
    empty.hidden = result !== null;
    full.hidden = result === null;
    showStatus();
    setText(title, result?.file ?? '');
    const speakers = annotation.speakers.map((speaker, index) => [speaker.id, { name: speakerName(speaker, index), color: speaker.color }] as const);
    list.setCues(result?.cues ?? [], new Map(speakers));
    list.setPosition(editor.player.position, false);
  }

  let isStale = false;
  editor.onChange(scope, (next, previous) => {
    if (next.annotation === previous.annotation && next.transcript === previous.transcript) return;
    isStale = isHidden(element);
    if (!isStale) update();
  });
  whenShown(scope, element, () => {
    if (isStale) update();
    isStale = false;
  });
  update();
  return {
    element,
    openFiles,
    setPosition(seconds, playing) {
      if (!isHidden(element)) list.setPosition(seconds, playing);
    },
  };
}
