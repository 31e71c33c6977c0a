/** Reads the inputs of a plan, whatever their kind, in the given order. */
import { statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { messageOf } from '../../src/util/errors';
import { readJsonManifest } from './jsonManifest';
import { readList, type Templates } from './listManifest';
import type { Read } from './source';
import { readTable } from './tableManifest';
import { AUDIO_ENDINGS } from '../audioEndings';

const IS_AUDIO: ReadonlySet<string> = new Set(AUDIO_ENDINGS.map((name) => `.${name}`));

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
    try {
      yield* readInput(input, templates, leftOut);
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
  return oneFile(path, input);
}

// eslint-disable-next-line typescript/require-await -- one of several readers
async function* oneFile(path: string, source: string): AsyncGenerator<Read, void, undefined> {
  yield { source, path };
}

/** Recordings of a folder and its subfolders, sorted by name at each level. Names that begin with a period are left out. */
async function* readFolder(folder: string, leftOut: LeftOut): AsyncGenerator<Read, void, undefined> {
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) if (!name.startsWith('.')) names.push(name);
  for (const name of names.sort()) {
    const path = join(folder, name);
    // Follows links; a broken link is an entry that does not exist.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) yield* readFolder(path, leftOut);
    else if (IS_AUDIO.has(extname(name).toLowerCase())) yield { source: path, path };
    else leftOut.otherFiles++;
  }
}
