/** Reads the inputs of a plan, whatever their kind, in the given order. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../../src/util/errors';
import { readJsonManifest } from './jsonManifest';
import { readList, type Templates } from './listManifest';
import type { Read } from './source';
import { readTable } from './tableManifest';
import { reasonOf } from '../output';
import { walkFolder } from '../walkFolder';

/** Counts what the readers leave out without a refusal. */
export interface LeftOut {
  /** Files in folders that do not have the ending of a recording. */
  otherFiles: number;
}

/**
 * All recordings and segments of the inputs. An input that cannot be read becomes a refusal.
 *
 * @param inputs paths of manifests (`.jsonl`, `.json`, `.gz`, `.csv`, `.tsv`, `.lst`, `.txt`), folders or recordings
 */
export async function* readInputs(inputs: readonly string[], templates: Templates, leftOut: LeftOut): AsyncGenerator<Read, void, undefined> {
  for (const input of inputs) {
    let isEmpty = true;
    try {
      for await (const read of readInput(input, templates, leftOut)) {
        isEmpty = false;
        yield read;
      }
      if (isEmpty) yield { source: input, path: null, code: 'format', problem: 'The input has no recordings', remedy: 'Correct the input and plan again' };
    } catch (error) {
      yield { source: input, path: null, code: 'unreadable', problem: messageOf(error), remedy: 'Correct the input and plan again' };
    }
  }
}

function readInput(input: string, templates: Templates, leftOut: LeftOut): AsyncGenerator<Read, void, undefined> {
  const path = resolve(input);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return readFolder(path, leftOut);
  const name = path.toLowerCase();
  if (/\.jsonl?(\.gz)?$/.test(name)) return readJsonManifest(path);
  if (/\.(csv|tsv)$/.test(name)) return readTable(path);
  if (/\.(lst|txt)$/.test(name)) return readList(path, templates);
  if (/\.ya?ml$/.test(name)) return noYaml(input);
  return oneFile(path, input);
}

/** The protocols of pyannote.database have lists of names, which are read. */
// eslint-disable-next-line typescript/require-await -- one of several readers
async function* noYaml(source: string): AsyncGenerator<Read, void, undefined> {
  yield {
    source,
    path: null,
    code: 'format',
    problem: 'YAML, such as the database.yml of pyannote.database, is not read',
    expected: 'the list of names of a subset, which database.yml calls uri',
    remedy: "Give that list and the template of the audio files, such as lists/test.lst --audio 'audio/{uri}.wav' --rttm 'rttms/{uri}.rttm'",
  };
}

// eslint-disable-next-line typescript/require-await -- one of several readers
async function* oneFile(path: string, source: string): AsyncGenerator<Read, void, undefined> {
  yield { source, path };
}

/** Recordings of a folder and its subfolders, see {@link walkFolder}. A folder that cannot be listed is refused. */
async function* readFolder(folder: string, leftOut: LeftOut): AsyncGenerator<Read, void, undefined> {
  for await (const found of walkFolder(folder)) {
    const { kind, path } = found;
    if (kind === 'recording') yield { source: path, path };
    else if (kind === 'other') leftOut.otherFiles++;
    else yield { source: path, path: null, code: 'unreadable', problem: `The folder cannot be read: ${reasonOf(found.error)}`, remedy: 'Change the permissions of the folder, and plan again' };
  }
}
