/** SHA-256 of input files, and when it need not be computed again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileProblem } from '../inputs';
import { VoxlaneError } from '../../src/util/errors';

/** Identifies the state of a file without reading it. */
export interface FileStamp {
  readonly bytes: number;
  /** Modification time in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Time of the last change of content or attributes. Programs can set the modification time, but not this one. */
  readonly changedMs: number;
}

/**
 * A file can change twice within one step of its time stamps, which is 2 s on some file systems. A younger file has no
 * stamp.
 */
const MIN_AGE_MS = 2000;

/**
 * @returns null if the file was changed too recently to be identified by its times
 * @throws errors of the file system
 */
export async function stampOf(path: string, nowMs = Date.now()): Promise<FileStamp | null> {
  const { size, mtimeMs, ctimeMs } = await stat(path);
  const isSettled = Math.max(mtimeMs, ctimeMs) <= nowMs - MIN_AGE_MS;
  return isSettled ? { bytes: size, modifiedMs: mtimeMs, changedMs: ctimeMs } : null;
}

/** Whether the file cannot have changed between two stamps. */
export function isSameFile(before: FileStamp | null | undefined, now: FileStamp | null): boolean {
  return Boolean(before && now && before.bytes === now.bytes && before.modifiedMs === now.modifiedMs && before.changedMs === now.changedMs);
}

/** Lowercase hex. The file is streamed. @throws errors of the file system */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export interface HashedFile {
  readonly sha256: string;
  readonly stamp: FileStamp | null;
}

/** Hashes files, and remembers those with a stamp: a manifest can list thousands of segments of one recording. */
export class Hasher {
  private readonly known = new Map<string, HashedFile>();

  constructor(private readonly capacity = 1000) {}

  /** @throws VoxlaneError `source-missing` for a file that does not exist, `audio-missing` for one that cannot be read */
  async hash(path: string): Promise<HashedFile> {
    const problem = fileProblem(path);
    // An empty file is readable. The engine reports it.
    if (problem !== null && problem !== 'the file is empty') throw unreadable(path, problem);
    try {
      const stamp = await stampOf(path);
      const known = this.known.get(path);
      if (known && isSameFile(known.stamp, stamp)) return known;
      const hashed = { sha256: await fileSha256(path), stamp };
      if (this.known.size >= this.capacity) this.known.clear();
      this.known.set(path, hashed);
      return hashed;
    } catch (cause) {
      throw unreadable(path, 'it cannot be read', cause);
    }
  }
}

function unreadable(path: string, problem: string, cause?: unknown): VoxlaneError {
  const isAbsent = problem === 'the file does not exist';
  const parts = {
    code: isAbsent ? ('source-missing' as const) : ('audio-missing' as const),
    problem: `${path}: ${problem}`,
    expected: 'a file that this user can read',
    remedy: 'Restore the file, or plan the corpus again',
  };
  return new VoxlaneError(parts, cause === undefined ? undefined : { cause });
}
