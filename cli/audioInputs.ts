/** The files that `diarize` reads: single files, folders, patterns, manifests, and standard input. */
import { createWriteStream, type Dirent, readdir as readFolder, type Stats, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { DiarizeOptions } from '../src/index';
import type { ErrorParts } from '../src/util/errors';
import { temporaryFolder } from './endings';
import { fileProblem } from './inputs';
import { AUDIO_ENDINGS } from './audioEndings';
import { reasonOf } from './output';
import { walkFolder } from './walkFolder';

/** A file to diarize, or the reason why it cannot be read. */
export interface AudioInput {
  readonly path: string;
  /** The path as the user knows it. */
  readonly label: string;
  /** The results of the file keep the folders below this one. */
  readonly base: string;
  readonly problem: ErrorParts | null;
  /** What a manifest says about the file. */
  readonly options: Pick<DiarizeOptions, 'startSeconds' | 'durationSeconds' | 'speakers'>;
  /** The path after which results are named; differs from `path` for a segment of a recording. */
  readonly namePath: string;
}

const STANDARD_INPUT = '-';

/**
 * The files in the order of the arguments, those of a folder or pattern in the order of their paths. A file that several
 * arguments name is listed once.
 *
 * @param standardInput read if `-` is among the arguments
 */
export async function findInputs(given: readonly string[], standardInput: NodeJS.ReadableStream = process.stdin): Promise<AudioInput[]> {
  const found: AudioInput[] = [];
  for (const argument of new Set(given)) {
    found.push(...(argument === STANDARD_INPUT ? [await saved(standardInput)] : await inputsOf(argument)));
  }
  const seen = new Set<string>();
  return found.filter(({ path, options }) => {
    const full = JSON.stringify([resolve(path), options.startSeconds, options.durationSeconds]);
    return !seen.has(full) && seen.add(full);
  });
}

async function inputsOf(argument: string): Promise<AudioInput[]> {
  const stats = statsOf(argument);
  if (stats?.isDirectory()) {
    const inputs = await inFolder(argument);
    if (inputs.length > 0) return inputs;
    return [missing(argument, 'the folder has no audio or video files', `files that end with ${AUDIO_ENDINGS.slice(0, 3).join(', ')} or another known ending`)];
  }
  if (!stats && isDynamicPattern(argument)) {
    const base = fixedPart(argument);
    const inputs = await matches(base === '.' ? argument : argument.slice(base.length).replace(/^\/+/, ''), base);
    return inputs.length > 0 ? inputs : [missing(argument, 'no file matches the pattern')];
  }
  if (stats && MANIFEST.test(argument)) return fromManifest(argument);
  return [inputOf(argument, dirname(argument))];
}

/** Undefined for a path that leads nowhere, such as a loop of links, or to a folder that may not be searched. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** NeMo and Lhotse JSON lines, tables, and lists of files. */
const MANIFEST = /\.(jsonl?(\.gz)?|csv|tsv|lst|txt)$/i;

async function fromManifest(manifest: string): Promise<AudioInput[]> {
  const { readInputs } = await import('./corpus/readInputs');
  const inputs: AudioInput[] = [];
  for await (const read of readInputs([manifest], {}, { otherFiles: 0 })) {
    if ('problem' in read) {
      const { problem, expected, remedy } = read;
      const parts: ErrorParts = { code: 'format', problem, ...(expected !== undefined && { expected }), ...(remedy !== undefined && { remedy }) };
      inputs.push({ ...unreadable(read.path ?? read.source, parts), label: read.source });
      continue;
    }
    const { path, startSeconds, durationSeconds, numSpeakers } = read;
    const isSegment = startSeconds !== undefined || durationSeconds !== undefined;
    const name = read.name ?? (isSegment ? `${basename(path, extname(path))}-${startSeconds ?? 0}` : null);
    inputs.push({
      ...inputOf(path, dirname(path)),
      label: isSegment ? `${path} from ${startSeconds ?? 0} s` : path,
      options: {
        ...(startSeconds !== undefined && { startSeconds }),
        ...(durationSeconds !== undefined && { durationSeconds }),
        ...(numSpeakers !== undefined && { speakers: numSpeakers }),
      },
      // Names can have separators of folders.
      ...(name !== null && { namePath: join(dirname(path), name.replaceAll(/[/\\]/g, '_') + extname(path)) }),
    });
  }
  return inputs.length > 0 ? inputs : [unreadable(manifest, { code: 'format', problem: 'the manifest has no entries' })];
}

/** The order of paths by their characters does not depend on the disk or the language. */
const byPath = (a: AudioInput, b: AudioInput): number => (a.path < b.path ? -1 : 1);

/** The recordings of a folder, and the subfolders that cannot be listed. */
async function inFolder(folder: string): Promise<AudioInput[]> {
  const inputs: AudioInput[] = [];
  for await (const found of walkFolder(folder)) {
    if (found.kind === 'recording') inputs.push(inputOf(found.path, folder));
    if (found.kind === 'unreadable') inputs.push(unlisted(found.path, found.error));
  }
  return inputs.sort(byPath);
}

/** The files that match a pattern in `folder`, and the subfolders that cannot be listed. */
async function matches(pattern: string, folder: string): Promise<AudioInput[]> {
  const failed: AudioInput[] = [];
  const readdir = (path: string, options: { readonly withFileTypes: true }, done: (error: NodeJS.ErrnoException | null, entries: Dirent[]) => void): void => {
    readFolder(path, options, (error, entries) => {
      if (error) failed.push(unlisted(path, error));
      done(error, entries);
    });
  };
  const files = await glob(pattern, { cwd: folder, onlyFiles: true, expandDirectories: false, fs: { readdir: readdir as typeof readFolder } });
  return [...files.map((file) => inputOf(join(folder, file), folder)), ...failed].sort(byPath);
}

const unlisted = (folder: string, error: unknown): AudioInput =>
  unreadable(folder, { code: 'source-missing', problem: `the folder cannot be read: ${reasonOf(error)}` });

/** The folders of a pattern before its first wildcard. */
function fixedPart(pattern: string): string {
  let base = dirname(pattern);
  while (isDynamicPattern(base)) base = dirname(base);
  return base;
}

function inputOf(path: string, base: string): AudioInput {
  const problem = fileProblem(path);
  const code = problem === 'the file is empty' ? 'audio-empty' : 'source-missing';
  return { path, label: path, base, options: {}, namePath: path, problem: problem === null ? null : { code, problem } };
}

const unreadable = (path: string, problem: ErrorParts): AudioInput => ({ path, label: path, base: path, options: {}, namePath: path, problem });

const missing = (path: string, problem: string, expected?: string): AudioInput =>
  unreadable(path, { code: 'source-missing', problem, ...(expected !== undefined && { expected }) });

/** Saves standard input to a temporary file, because containers are not read from start to end. */
async function saved(stream: NodeJS.ReadableStream): Promise<AudioInput> {
  const folder = temporaryFolder();
  const path = join(folder, 'stdin');
  try {
    await pipeline(stream, createWriteStream(path));
  } catch (cause) {
    throw new Error(`standard input cannot be saved to ${path}: ${reasonOf(cause)}. TMPDIR can name another folder`, { cause });
  }
  const input = inputOf(path, folder);
  return { ...input, label: 'standard input', problem: input.problem && { code: 'audio-empty', problem: 'standard input is empty' } };
}
