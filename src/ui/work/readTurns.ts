import type { Annotation } from '../../editing/annotation';
import { unpackAnnotation } from '../../editing/packed';
import { readAnyTurns } from '../../formats/anyTurns';
import type { Scope } from '../../util/scope';
import { inSlices } from '../../util/slices';
import { stem } from '../format';
import { guessedEncoding, readTextFile } from '../textFile';
import { chooseRecording } from '../studio/chooseRecording';
import { importedAnnotation } from './importedAnnotation';
import { checkBytes, checkSize, MOST_BYTES_AT_ONCE } from './limits';
import { withTurnsWorker } from './spawnTurns';
import type { FoundRecording } from './turnsContract';

/** The turns of a file, for one recording. */
export interface ReadTurns {
  /** The recording's name in the file; the name of the file if it has none. */
  readonly name: string;
  readonly annotation: Annotation;
}

/**
 * The turns of a file, for one recording: the one of that name, the only one, or the one that the user chooses.
 *
 * @param say shows a sentence to the user
 * @param recording name of the recording's file; null if there is none
 * @param durationSeconds length of the recording; null if unknown: then that of the file, or the end of the last turn
 * @returns null if the user chose none
 * @throws VoxlaneError `format`, also for a file that is larger than the page can show
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
  if (file.size > MOST_BYTES_AT_ONCE) return readInWorker(file, durationSeconds, say, choose);
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
