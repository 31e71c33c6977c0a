/** Files that are either complete or absent, also after a power failure or SIGKILL. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from '../output';

/** Matches the names of temporary files, and captures the name of the finished file. */
const TEMPORARY = /^\.(.+)\.[0-9a-f]{12}\.tmp$/;
const PENDING_CHARACTERS = 1 << 18;

/** In the same folder, because a file cannot be renamed across disks. Random, because a file can have two writers for a moment. */
export const temporaryName = (path: string): string => join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);

/**
 * A text file that appears under its name when it is complete: {@link close} syncs it and then renames it.
 * Memory is bounded.
 */
export class AtomicFile {
  private pending: string[] = [];
  private pendingCharacters = 0;
  private isSealed = false;

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {}

  /** Creates the folder if it does not exist. @throws Error with a one-line message that names the file */
  static async create(path: string): Promise<AtomicFile> {
    const temporary = temporaryName(path);
    try {
      await mkdir(dirname(path), { recursive: true });
      return new AtomicFile(path, temporary, await open(temporary, 'wx'));
    } catch (cause) {
      throw notWritten(path, cause);
    }
  }

  /** @throws Error with a one-line message that names the file */
  async write(text: string): Promise<void> {
    this.pending.push(text);
    this.pendingCharacters += text.length;
    if (this.pendingCharacters >= PENDING_CHARACTERS) await this.flush();
  }

  /**
   * Writes everything to the disk, but not yet under the name. After that, {@link close} needs no more space.
   *
   * @param isSynced false for a file that need not survive a power failure
   * @throws Error with a one-line message that names the file
   */
  async seal(isSynced = true): Promise<void> {
    if (this.isSealed) return;
    await this.flush();
    try {
      if (isSynced) await this.file.sync();
      await this.file.close();
      this.isSealed = true;
    } catch (cause) {
      await this.abandon();
      throw notWritten(this.path, cause);
    }
  }

  /**
   * @param isSynced false for a file that need not survive a power failure
   * @throws Error with a one-line message that names the file; the previous file is unchanged
   */
  async close(isSynced = true): Promise<void> {
    await this.seal(isSynced);
    try {
      await rename(this.temporary, this.path);
      if (isSynced) await syncFolder(dirname(this.path));
    } catch (cause) {
      await this.abandon();
      throw notWritten(this.path, cause);
    }
  }

  /** Removes the temporary file. The previous file is unchanged. */
  async abandon(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await rm(this.temporary, { force: true }).catch(() => undefined);
  }

  private async flush(): Promise<void> {
    const text = this.pending.join('');
    this.pending = [];
    this.pendingCharacters = 0;
    try {
      await this.file.writeFile(text);
    } catch (cause) {
      await this.abandon();
      throw notWritten(this.path, cause);
    }
  }
}

/** Writes a whole file by {@link AtomicFile}. @throws Error with a one-line message that names the file */
export async function writeAtomically(path: string, text: string, isSynced = true): Promise<void> {
  const file = await AtomicFile.create(path);
  await file.write(text);
  await file.close(isSynced);
}

/**
 * Removes the temporary files that killed processes left in a folder. A missing folder is empty.
 *
 * @param isOwn whether the file with this name, without the temporary part, belongs to the caller
 * @param minAgeMs age below which a file can belong to a process that runs
 */
export async function removeTemporaryFiles(folder: string, isOwn: (name: string) => boolean, minAgeMs = 0): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const name = TEMPORARY.exec(entry)?.[1];
    if (name === undefined || !isOwn(name)) continue;
    const path = join(folder, entry);
    if (minAgeMs > 0 && !(await isOlder(path, minAgeMs))) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** False for a file that another process has removed. */
async function isOlder(path: string, ageMs: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < Date.now() - ageMs;
  } catch {
    return false;
  }
}

/** Makes the new name durable. Windows and some network disks cannot sync a folder, and do not need it. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // The file itself is synced.
  } finally {
    await handle?.close();
  }
}

const notWritten = (path: string, cause: unknown): Error => new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
