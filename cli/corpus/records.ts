/** The result and failure files of a run: what counts as done, and writing without partial files. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ErrorParts } from '../../src/util/errors';
import { reasonOf } from '../output';
import { removeTemporaryFiles, writeAtomically } from './atomicFile';
import { fileSha256, isSameFile, stampOf } from './inputHash';
import { jsonLine } from './jsonLines';
import { corpusFiles, type CorpusFiles, type Entry, failureSchema, type Lease, readRecord, resultSchema, type StoredFailure, type StoredResult } from './layout';
import { isLeaseAlive } from './leases';
import type { Outcome } from './pool';

/** What must be equal for a stored result to count. */
export interface RunIdentity {
  readonly engineVersion: string;
  /** Options that can change the result of this entry. */
  readonly optionsOf: (entry: Entry) => StoredResult['options'];
}

/** SHA-256 of the options with sorted keys, as lowercase hex. */
export function optionsHash(options: Readonly<Record<string, unknown>>): string {
  const sorted = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** A second process on the same shard removes temporary files at its start. */
const MAX_WRITES = 3;

/** Result and failure files of the entries of a run. Errors are one-line Errors that name the file. */
export class Records {
  private readonly files: CorpusFiles;
  /** Inputs with a result that could not be read again. */
  numUnread = 0;

  /** @param folder the corpus folder */
  constructor(
    folder: string,
    private readonly identity: RunIdentity,
  ) {
    this.files = corpusFiles(folder);
  }

  /** Creates the folders, and removes what killed runs of these entries left. */
  async prepare(entries: readonly Entry[]): Promise<void> {
    const names = new Set(entries.map(({ id }) => `${id}.json`));
    const ids = new Set(entries.map(({ id }) => id));
    for (const [folder, own] of [[this.files.results, names], [this.files.failures, names], [this.files.running, ids]] as const) {
      await writing(folder, () => mkdir(folder, { recursive: true }));
      await removeTemporaryFiles(folder, (name) => own.has(name));
    }
    await this.removeDeadLeases(ids);
  }

  /** A run killed between writing a result and releasing its lease leaves the lease, and no later run processes that entry. */
  private async removeDeadLeases(ids: ReadonlySet<string>): Promise<void> {
    const names = await writing(this.files.running, () => readdir(this.files.running));
    for (const name of names.filter((each) => ids.has(each))) {
      const path = join(this.files.running, name);
      if (!(await isLeaseAlive(path, Date.now()))) await writing(path, () => rm(path, { force: true }));
    }
  }

  /**
   * The stored result of an entry, if it counts: version, options and the hash of the input are equal.
   *
   * The input is not hashed again if its size and both times are unchanged since it was hashed, unless `verify` is set. A
   * result without turns counts if the file is silent, or if a second attempt confirmed it. The result of an input that
   * cannot be read now counts too: a disk that is not mounted must not destroy results.
   *
   * @returns null if the file must be processed, also if the stored result is damaged
   */
  async finished(entry: Entry, verify: boolean): Promise<StoredResult | null> {
    const stored = await this.stored(entry, verify);
    if (stored) await this.removeFailure(entry);
    return stored;
  }

  private async removeFailure({ id }: Entry): Promise<void> {
    const path = this.files.failure(id);
    await writing(path, () => rm(path, { force: true }));
  }

  private async stored(entry: Entry, verify: boolean): Promise<StoredResult | null> {
    const stored = await readRecord(this.files.result(entry.id), resultSchema).catch(() => null);
    if (!stored || stored.engineVersion !== this.identity.engineVersion || stored.path !== entry.path) return null;
    if (stored.optionsHash !== optionsHash(this.identity.optionsOf(entry))) return null;
    const isConfirmed = stored.counts.turns > 0 || stored.status === 'silent' || stored.attempts > 1;
    if (!isConfirmed) return null;
    try {
      if (!verify && isSameFile(stored.stamp, await stampOf(entry.path))) return stored;
      return (await fileSha256(entry.path)) === stored.inputSha256 ? stored : null;
    } catch {
      this.numUnread++;
      return stored;
    }
  }

  /**
   * Records the end of an entry. A result removes an earlier failure. A failure leaves an earlier result, which can be one
   * with other options or of another version: the failure has priority until {@link finished} counts the result again.
   */
  async write(entry: Entry, outcome: Outcome): Promise<StoredResult | StoredFailure> {
    const { id } = entry;
    const record = outcome.kind === 'done' ? this.result(entry, outcome) : this.failure(entry, outcome);
    await writeRecord(outcome.kind === 'done' ? this.files.result(id) : this.files.failure(id), record);
    if (outcome.kind === 'done') await this.removeFailure(entry);
    return record;
  }

  /** Says that this process works on an entry. */
  async lease(entry: Entry): Promise<void> {
    const lease: Lease = { pid: process.pid, host: hostname(), shard: entry.shard, startedMs: Date.now() };
    await writeRecord(this.files.lease(entry.id), lease, false);
  }

  async release(entry: Entry): Promise<void> {
    const path = this.files.lease(entry.id);
    await writing(path, () => rm(path, { force: true }));
  }

  private result(entry: Entry, { result, seconds, attempts }: Extract<Outcome, { readonly kind: 'done' }>): StoredResult {
    const options = this.identity.optionsOf(entry);
    const isSilent = result.numTurns === 0 && result.isSilent === true;
    return {
      id: entry.id,
      path: entry.path,
      inputSha256: result.inputSha256,
      stamp: result.stamp,
      engineVersion: this.identity.engineVersion,
      options,
      optionsHash: optionsHash(options),
      status: isSilent ? 'silent' : 'done',
      ...(result.numTurns === 0 && !isSilent && { note: NO_SPEECH + (result.isSilent === false ? ', although the file is not silent.' : '.') }),
      seconds: rounded(seconds),
      attempts,
      backend: result.backend,
      counts: { turns: result.numTurns, speakers: result.numSpeakers, audioSeconds: rounded(result.audioSeconds) },
      finishedMs: Date.now(),
      host: hostname(),
      exactTurns: result.exactTurns.map(([start, end, speaker]) => [start, end, speaker]),
      result: JSON.parse(result.document) as StoredResult['result'],
    };
  }

  private failure(entry: Entry, { error, seconds, attempts }: { readonly error: ErrorParts; readonly seconds: number; readonly attempts: number }): StoredFailure {
    return {
      id: entry.id,
      path: entry.path,
      error,
      attempts,
      engineVersion: this.identity.engineVersion,
      optionsHash: optionsHash(this.identity.optionsOf(entry)),
      seconds: rounded(seconds),
      finishedMs: Date.now(),
      host: hostname(),
    };
  }

  /** The stored failure of an entry, or null. */
  async failureOf({ id }: Entry): Promise<StoredFailure | null> {
    return readRecord(this.files.failure(id), failureSchema).catch(() => null);
  }
}

const NO_SPEECH = 'No speech was found in two attempts';

const rounded = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

async function writeRecord(path: string, record: object, isSynced = true): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      await writeAtomically(path, jsonLine(record), isSynced);
      return;
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown };
      if (code !== 'ENOENT' || count === MAX_WRITES) throw error;
    }
  }
}

async function writing<Value>(path: string, write: () => Promise<Value>): Promise<Value> {
  try {
    return await write();
  } catch (cause) {
    throw new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
