import type { Annotation } from '../../editing/annotation';
import { unpackAnnotation } from '../../editing/packed';
import { readAnyTurns } from '../../formats/anyTurns';
import { h } from '../../ui-kit/dom';
import { stem } from '../../ui-kit/format';
import type { Scope } from '../../ui-kit/scope';
import { inLanguage } from '../../ui-kit/texts/language';
import { inSlices } from '../../util/concurrency';
import { decodeText } from '../../util/decodeText';
import { VoxlaneError } from '../../util/errors';
import { editorText } from '../editor/text';
import { presetOfFile } from '../models/choices';
import { checkBytes, checkSize, MAX_BYTES_AT_ONCE } from './limits';
import { type FoundRecording, importedAnnotation, withTurnsWorker } from './turnsClient';

/** Dropped or chosen files, sorted by name. */
interface SortedFiles {
  readonly models: readonly File[];
  /** Recordings: all files that are neither models nor companions. */
  readonly recordings: readonly File[];
  /** Turns, or a transcript: RTTM, JSON, SRT, WebVTT; and UEM. */
  readonly companions: readonly File[];
}

/** The kind of a companion file by its extension. `json` can be turns or a transcript. */
type CompanionKind = 'rttm' | 'uem' | 'json' | 'subtitles';

export function companionKind({ name }: File): CompanionKind | null {
  const end = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase();
  if (end === 'rttm' || end === 'uem' || end === 'json') return end;
  return end === 'srt' || end === 'vtt' || end === 'tsv' ? 'subtitles' : null;
}

/**
 * Whether a JSON file is a transcript: speech recognizers write text, files of turns have none. A file with both counts
 * as a transcript.
 */
export async function isTranscript(file: File): Promise<boolean> {
  const kind = companionKind(file);
  return kind === 'subtitles' || (kind === 'json' && (await holds(file, /"(?:text|word|speech)"\s*:/)));
}

/** Size of the parts to search. Searching the whole text of a large file would block the page. */
const PART_BYTES = 1_000_000;
/** Overlap of the parts, to find matches across their boundary. */
const OVERLAP_BYTES = 100;

/** Whether a pattern of ASCII characters matches anywhere in a file. */
export async function holds(file: File, pattern: RegExp): Promise<boolean> {
  for (let from = 0; from === 0 || from < file.size; from += PART_BYTES) {
    if (pattern.test(await file.slice(from, from + PART_BYTES + OVERLAP_BYTES).text())) return true;
  }
  return false;
}

const isModel = ({ name }: File): boolean => presetOfFile(name) !== null;

export function sortFiles(files: Iterable<File>): SortedFiles {
  const all = [...files];
  return {
    models: all.filter(isModel),
    companions: all.filter((file) => companionKind(file) !== null),
    recordings: all.filter((file) => !isModel(file) && companionKind(file) === null),
  };
}

const encodingWords = inLanguage(
  { guessed: (file: string) => `${file} is not UTF-8. It was read as windows-1252: check the letters with accents.` },
  { de: { guessed: (file) => `${file} ist kein UTF-8. Die Datei wurde als Windows-1252 gelesen: Prüfen Sie die Umlaute und Akzente.` } },
);

/**
 * Reads the text of a user's file.
 *
 * @param say shows a notice if the encoding was guessed
 * @param decode throws what this function throws
 * @throws VoxlaneError `format` if the browser cannot read the file, or its encoding is not supported
 */
export async function readTextFile(file: File, say: (sentence: string) => void, decode = decodeText): Promise<string> {
  const { text, encoding } = decode(new Uint8Array(await bytesOf(file)), file.name);
  if (encoding === 'windows-1252') say(guessedEncoding(file.name));
  return text;
}

/** A message that the encoding of a file is a guess. */
const guessedEncoding = (file: string): string => encodingWords.guessed(file);

async function bytesOf(file: File): Promise<ArrayBuffer> {
  try {
    return await file.arrayBuffer();
  } catch (thrown) {
    throw new VoxlaneError(
      { code: 'format', problem: `${file.name} cannot be read`, remedy: 'Choose the file again' },
      { cause: thrown },
    );
  }
}

const importWords = editorText.importing;

/** Asks which of several recordings in a file to use; null if the user cancels. */
function chooseRecording(scope: Scope, file: string, names: readonly string[]): Promise<string | null> {
  const select = h('select', { class: 'field', 'data-testid': 'choose-recording' }, ...names.map((name) => h('option', { value: name }, name)));
  const take = h('button', { type: 'submit', class: 'button button--primary' }, importWords.take);
  const cancel = h('button', { type: 'button', class: 'button' }, importWords.cancel);
  const form = h(
    'form',
    { method: 'dialog', class: 'choose' },
    h('label', { class: 'labeled' }, h('span', {}, importWords.choose(file)), select),
    h('div', { class: 'button-row' }, take, cancel),
  );
  const dialog = h('dialog', { class: 'dialog' }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let answer: string | null = null;
    const own = scope.child();
    own.add(() => {
      dialog.remove();
      resolve(answer);
    });
    own.on(form, 'submit', () => {
      answer = select.value;
    });
    own.on(cancel, 'click', () => {
      dialog.close();
    });
    own.on(dialog, 'close', () => {
      own.dispose();
    });
    dialog.showModal();
  });
}

/** The turns of a file, for one recording. */
export interface ReadTurns {
  /** Name of the recording in the file, or the file name if it has none. */
  readonly name: string;
  readonly annotation: Annotation;
}

/**
 * Reads the turns of one recording in a file: the one with the given name, the only one, or the one that the user chooses.
 *
 * @param say shows a sentence to the user
 * @param recording name of the recording's file; null if there is none
 * @param durationSeconds duration of the recording; if null, the one in the file or the end of the last turn is used
 * @returns null if the user chose none
 * @throws VoxlaneError `format`, also for a file above the limits
 */
export async function readTurnsFor(
  scope: Scope,
  file: File,
  recording: string | null,
  say: (sentence: string) => void,
  durationSeconds: number | null = null,
): Promise<ReadTurns | null> {
  checkBytes(file);
  const choose = (found: readonly FoundRecording[]): Promise<FoundRecording | null> => chosenOf(scope, file.name, found, recording);
  if (file.size > MAX_BYTES_AT_ONCE) return readInWorker(file, durationSeconds, say, choose);
  const recordings = readAnyTurns(file.name, await readTextFile(file, say));
  const found = recordings.map(({ name, turns, speakers }) => ({ name, numTurns: turns.length, numSpeakers: speakers.length }));
  const chosen = await choose(found);
  if (!chosen) return null;
  checkSize(file.name, chosen.numTurns, chosen.numSpeakers);
  return { name: chosen.name, annotation: importedAnnotation(recordings[found.indexOf(chosen)]!, durationSeconds) };
}

/** Reading a large file would block the page. The packed result is unpacked in slices. */
function readInWorker(
  file: File,
  durationSeconds: number | null,
  say: (sentence: string) => void,
  choose: (found: readonly FoundRecording[]) => Promise<FoundRecording | null>,
): Promise<ReadTurns | null> {
  return withTurnsWorker(async (worker) => {
    const { found, isGuess } = await worker.call((remote) => remote.read(file));
    if (isGuess) say(guessedEncoding(file.name));
    const chosen = await choose(found);
    if (!chosen) return null;
    checkSize(file.name, chosen.numTurns, chosen.numSpeakers);
    const packed = await worker.call((remote) => remote.take(found.indexOf(chosen), durationSeconds));
    const annotation = await inSlices(unpackAnnotation(packed));
    return annotation && { name: chosen.name, annotation };
  });
}

async function chosenOf(scope: Scope, file: string, found: readonly FoundRecording[], recording: string | null): Promise<FoundRecording | null> {
  if (found.length === 1) return found[0]!;
  const named = found.find(({ name }) => recording !== null && (name === recording || name === stem(recording)));
  if (named) return named;
  const chosen = await chooseRecording(scope, file, found.map(({ name }) => name));
  return found.find(({ name }) => name === chosen) ?? null;
}
