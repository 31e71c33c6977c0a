import { transfer } from 'comlink';
import { buffersOf, packAnnotation } from '../../editing/packed';
import type { DiarizationResult } from '../../engine/types';
import { createMenu, type Menu } from '../../ui-kit/controls';
import { h, icon } from '../../ui-kit/dom';
import { sentenceOf } from '../../ui-kit/failure';
import { download } from '../../ui-kit/files';
import { inSlices } from '../../util/concurrency';
import { checkAtOnce, isVast } from '../workspace/limits';
import { companionKind, isTranscript, readTurnsFor } from '../workspace/openFiles';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportRequest,
  withTurnsWorker,
  type WrittenFile,
} from '../workspace/turnsClient';
import type { Editor } from './editor';
import { exportFile } from './exports';
import { namesOf } from './speakerNames';
import { editorText } from './text';

const importWords = editorText.importing;

interface FileTakers {
  readonly reference: (files: readonly File[]) => void;
  readonly transcript: (files: readonly File[]) => void;
}

/**
 * Passes each file to the panel it is for.
 *
 * @param purpose a dropped RTTM file is used as the reference for scoring; an imported one is edited
 */
export async function takeFiles(
  editor: Editor,
  files: readonly File[],
  purpose: 'drop' | 'edit',
  { reference, transcript }: FileTakers,
): Promise<void> {
  const references: File[] = [];
  for (const file of files) {
    const kind = companionKind(file);
    try {
      if (kind === 'uem' || (kind === 'rttm' && purpose === 'drop')) references.push(file);
      else if (await isTranscript(file)) transcript([file]);
      else await importTurns(editor, file);
    } catch (thrown) {
      // This includes the browser's error for a file that was deleted since the drop.
      editor.say(importWords.unreadable(file.name, sentenceOf(thrown)));
    }
  }
  if (references.length > 0) {
    reference(references);
    editor.say(importWords.reference(references.map(({ name }) => name).join(', ')));
  }
}

/** Replaces the current turns. Undo restores them. */
async function importTurns(editor: Editor, file: File): Promise<void> {
  const notes: string[] = [];
  // The duration of the recording is fixed. Turns beyond its end would have no audio.
  const { durationSeconds } = editor.get().annotation;
  const imported = await readTurnsFor(editor.scope, file, editor.outcome.name, (note) => notes.push(note), durationSeconds);
  if (!imported) return;
  const { annotation } = imported;
  checkAtOnce(file.name, Math.max(annotation.turns.length, editor.get().annotation.turns.length));
  if (editor.edit({ type: 'replace', annotation })) editor.say([importWords.imported(file.name, annotation.turns.length), ...notes].join(' '));
}

/** `exportFile` in a worker, for a large number of turns. */
async function exportInWorker(format: ExportFormat, { annotation, outcome, ...request }: ExportRequest): Promise<WrittenFile> {
  const { blob, companions: _companions, annotation: _annotation, result, ...rest } = outcome;
  const names = namesOf(annotation);
  // RTTM and JSON contain only names given by the user. The other formats contain the displayed names in the language
  // of the page.
  const isShown = format !== 'rttm' && format !== 'json';
  const speakers = isShown ? annotation.speakers.map((speaker) => ({ ...speaker, name: names.get(speaker.id) ?? null })) : annotation.speakers;
  const packed = (await inSlices(packAnnotation({ ...annotation, speakers })))!;
  const light = { ...rest, result: result && withoutTurns(result) };
  return withTurnsWorker((worker) =>
    worker.call((remote) =>
      remote.write(format, transfer({ ...request, outcome: light, annotation: packed, soundBytes: blob?.size ?? null }, buffersOf(packed.turns, packed.exclusiveHints))),
    ),
  );
}

/** Exported turns come from the annotation, and no format contains the voice data. */
function withoutTurns(result: DiarizationResult): DiarizationResult {
  const { voices: _voices, ...light } = result;
  return { ...light, turns: [], exclusiveTurns: [] };
}

const exportWords = editorText.exporting;

/** The export menu, with one button per format. */
export function createExportMenu(editor: Editor): Menu {
  const { scope } = editor;
  const mode = h('span', { class: 'fine' });
  const showMode = (): void => {
    mode.textContent = exportWords.mode[editor.get().mode];
  };
  const buttons = EXPORT_FORMATS.map((format) => {
    const [name = format, what = ''] = exportWords.formats[format];
    const button = h('button', { type: 'button', 'data-testid': `download-${format}` }, h('span', {}, name), h('span', { class: 'exports__what' }, what));
    scope.on(button, 'click', () => {
      void save(editor, format);
      menu.close();
    });
    return button;
  });
  const content = h('div', { class: 'exports' }, h('p', { class: 'legend' }, exportWords.heading), mode, ...buttons);
  const menu = createMenu(scope, [icon('download'), exportWords.button], content, 'export');
  editor.onChange(scope, showMode);
  showMode();
  return menu;
}

async function save(editor: Editor, format: ExportFormat): Promise<void> {
  const { annotation, mode, canUndo } = editor.get();
  const request = { outcome: editor.outcome, annotation, mode, isCorrected: canUndo, date: new Date(), userAgent: navigator.userAgent };
  try {
    const { name, type, content } = isVast(annotation) ? await exportInWorker(format, request) : exportFile(format, request);
    download(name, type, content);
    editor.say(exportWords.saved(name));
  } catch (thrown) {
    editor.say(exportWords.failed(sentenceOf(thrown)));
  }
}
