/** Output of the commands: standard output, standard error and result files. Failures are Errors with a one-line message. */
import { chmodSync, fstatSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, writeSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ModelDownload } from '../src/index';
import { messageOf } from '../src/util/errors';

/** Explanations of errors that the user can fix, by Node's error code. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is too large for the disk',
  EIO: 'the disk reports an error',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links form a loop',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'its folder does not exist',
  ENOSPC: 'no space is left on the disk',
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'a part of its path is not a folder',
  EPERM: 'permission is denied',
  EPIPE: 'its reader has closed it',
  ERR_STREAM_DESTROYED: 'its reader has closed it',
  EROFS: 'the disk is read-only',
};

/** Why a system call failed, in words for the user. */
export function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return (typeof code === 'string' ? REASONS[code] : undefined) ?? messageOf(error);
}

// Without a listener, a pipe that closes early (`| head`) would end the process with a stack trace. `print` reports the error.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

/** Reports a download and a conversion in steps of 10 %, and a wait at its start. */
export function downloadLine(tell: (line: string) => void): (progress: ModelDownload) => void {
  let lastLine = '';
  return ({ model, step, receivedBytes, totalBytes }) => {
    if (step === 'wait' && receivedBytes > 0) return;
    const percent = Math.floor((10 * receivedBytes) / totalBytes) * 10;
    const line = step === 'wait' ? `  ${model} is downloaded or converted by another program, which ends first` : `  ${model} ${step === 'convert' ? 'converted ' : ''}${percent} % of ${totalBytes} bytes`;
    if (line !== lastLine) tell(line);
    lastLine = line;
  };
}

let isQuiet = false;

/** Whether {@link say} prints nothing. */
export function setQuiet(quiet: boolean): void {
  isQuiet = quiet;
}

/** Writes a line about progress, or a note, to standard error. Ignores a closed standard error. */
export function say(line: string): void {
  if (!isQuiet) warn(line);
}

/** Writes a line about a failure to standard error. Names of files cannot control the terminal. */
export function warn(line: string): void {
  process.stderr.write(`${line.replace(/(?![\n\t])\p{Cc}/gu, '\uFFFD')}\n`);
}

/** Writes to standard output. @throws Error with a one-line message if it is closed or its disk is full */
export async function print(text: string): Promise<void> {
  try {
    // On a full disk, Node's file stream silently drops the rest of a partial write.
    if (fstatSync(process.stdout.fd).isFile()) writeWhole(process.stdout.fd, text);
    else await writeToStream(text);
  } catch (cause) {
    throw new Error(`standard output cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

function writeWhole(file: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
}

function writeToStream(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Writes a file atomically: writes a temporary file in the same folder, then renames it.
 *
 * @throws Error with a one-line message that names the file
 */
export function writeResult(path: string, data: string | Uint8Array): void {
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing && isSpecial(existing)) writeFileSync(path, data);
    else replaceFile(existing ? realpathSync(path) : path, data, existing);
  } catch (cause) {
    throw new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/** A device or a pipe, such as /dev/null, must not be replaced by a file. */
const isSpecial = (stats: Stats): boolean => !stats.isFile() && !stats.isDirectory();

function replaceFile(path: string, data: string | Uint8Array, existing: Stats | undefined): void {
  const temporary = temporaryName(path);
  try {
    writeFileSync(temporary, data);
    if (existing) chmodSync(temporary, existing.mode);
    renameSync(temporary, path);
  } catch (error) {
    // The first error is more useful than one from the cleanup.
    try {
      rmSync(temporary, { force: true });
    } catch {
      // The temporary file was never created.
    }
    throw error;
  }
}

/** Short, because the result's own name may be close to the length limit. */
const temporaryName = (path: string): string => join(dirname(path), `.voxlane-${process.pid}.tmp`);

/** Creates a folder for results and checks that it is writable. @throws Error with a one-line message that names the folder */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    tryWriting(join(folder, 'result'));
  } catch (cause) {
    throw new Error(`results cannot be written to ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

/** Checks that a result can be written before it is computed. @throws Error with a one-line message that names the file */
export function requireWritable(path: string): void {
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (basename(path) === '') throw Object.assign(new Error(), { code: 'ENOENT' });
    if (!existing || !isSpecial(existing)) tryWriting(existing ? realpathSync(path) : path);
  } catch (cause) {
    throw new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/** Creates and removes a file. Permission bits are not sufficient: a disk can be read-only, and root passes every check. */
function tryWriting(path: string): void {
  const temporary = temporaryName(path);
  writeFileSync(temporary, '');
  rmSync(temporary);
}
