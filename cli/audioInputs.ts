/** The files that `diarize` reads: single files, folders, patterns, manifests, and standard input. */
import { createWriteStream, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { DiarizeOptions } from '../src/index';
import type { ErrorParts } from '../src/util/errors';
import { temporaryFolder } from './endings';
import { fileProblem } from './inputs';
import { AUDIO_ENDINGS } from './audioEndings';

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

/** Endings of files that are taken from folders. Single files can have any name. */
const AUDIO_FILE = `**/*.{${AUDIO_ENDINGS.join(',')}}`;

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
  const stats = statSync(argument, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    const files = await matches(AUDIO_FILE, argument);
    if (files.length > 0) return files.map((file) => inputOf(join(argument, file), argument));
    return [missing(argument, 'the folder has no audio or video files', `files that end with ${AUDIO_ENDINGS.slice(0, 3).join(', ')} or another known ending`)];
  }
  if (!stats && isDynamicPattern(argument)) {
    const base = fixedPart(argument);
    const files = await matches(base === '.' ? argument : argument.slice(base.length).replace(/^\/+/, ''), base);
    return files.length > 0 ? files.map((file) => inputOf(join(base, file), base)) : [missing(argument, 'no file matches the pattern')];
  }
  if (stats && MANIFEST.test(argument)) return fromManifest(argument);
  return [inputOf(argument, dirname(argument))];
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

/** Paths relative to `folder`, sorted by their characters, so that the order does not depend on the disk or the language. */
async function matches(pattern: string, folder: string): Promise<string[]> {
  const files = await glob(pattern, { cwd: folder, onlyFiles: true, expandDirectories: false, caseSensitiveMatch: pattern !== AUDIO_FILE });
  return files.sort((a, b) => (a < b ? -1 : 1));
}

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
  await pipeline(stream, createWriteStream(path));
  const input = inputOf(path, folder);
  return { ...input, label: 'standard input', problem: input.problem && { code: 'audio-empty', problem: 'standard input is empty' } };
}
