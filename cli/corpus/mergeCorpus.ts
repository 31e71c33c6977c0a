/** Merges the results of a corpus folder into files for other programs. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toRttm } from '../../src/formats/rttm';
import type { Turn } from '../../src/timeline/turns';
import { reasonOf } from '../output';
import { AtomicFile, removeTemporaryFiles, temporaryName } from './atomicFile';
import { CurrentRecords } from './currentRecords';
import { jsonLine } from './jsonLines';
import { type Entry, readEntries, readRecord, readRefusals, type StoredFailure, type StoredResult } from './layout';
import { requireMergeFolder } from './ownFiles';

/** What is in an output folder. */
export const MERGED_FILES = ['corpus.rttm', 'supervisions.jsonl', 'nemo.jsonl', 'results.jsonl'] as const;
const RTTM_FOLDER = 'rttm';

export interface MergeRequest {
  /** The corpus folder. */
  readonly folder: string;
  readonly out: string;
  /** Merge although recordings are neither done nor failed. */
  readonly allowMissing: boolean;
  /** Merge results of different versions or options. */
  readonly allowMixed: boolean;
}

export interface MergeOutcome {
  readonly numDone: number;
  readonly numFailed: number;
  readonly numMissing: number;
  readonly numRefused: number;
  readonly numTurns: number;
  readonly audioSeconds: number;
}

/**
 * Writes {@link MERGED_FILES} and the folder `rttm` with one file per entry, all in the order of the manifest. Only
 * `results.jsonl` has times of the run, so the other files depend neither on the number of shards nor on the machine.
 * Files that are not from a merge are never replaced.
 *
 * @throws Error with a one-line message if recordings are missing, results differ in version or options, or a file
 *   cannot be written. The previous output is then unchanged.
 */
export async function mergeCorpus({ folder, out, allowMissing, allowMixed }: MergeRequest): Promise<MergeOutcome> {
  const totals = { numDone: 0, numFailed: 0, numMissing: 0, numRefused: 0, numTurns: 0, audioSeconds: 0 };
  await requireMergeFolder(out);
  const outputs = await Outputs.create(out);
  const records = await CurrentRecords.list(folder);
  const kinds = new Map<string, string>();
  let firstMissing: string | null = null;
  try {
    for await (const entry of readEntries(folder)) {
      const found = await records.find(entry, readRecord);
      if (found === null) {
        totals.numMissing++;
        firstMissing ??= entry.id;
        if (allowMissing) await outputs.addMissing(entry);
      } else if ('failure' in found) {
        totals.numFailed++;
        await outputs.addFailure(entry, found.failure);
      } else {
        const { result } = found;
        totals.numDone++;
        totals.numTurns += result.exactTurns.length;
        totals.audioSeconds += result.result.durationSeconds;
        kinds.set(kindOf(result), entry.id);
        if (kinds.size > 1 && !allowMixed) throw mixed(kinds);
        await outputs.addResult(entry, result);
      }
    }
    if (firstMissing !== null && !allowMissing) {
      const count = `${totals.numMissing} of ${totals.numDone + totals.numFailed + totals.numMissing} recordings have no result yet, for example ${firstMissing}`;
      throw new Error(`${count}. Finish them with "corpus run", or merge without them by --allow-missing`);
    }
    for await (const { source, path, code, problem } of readRefusals(folder)) {
      totals.numRefused++;
      await outputs.addRefusal({ source, path, code, problem });
    }
    await outputs.close();
  } catch (error) {
    await outputs.abandon();
    throw error;
  }
  return totals;
}

/** Options that the manifest can set for a single entry. */
const ENTRY_OPTIONS = new Set(['speakers', 'minSpeakers', 'maxSpeakers', 'startSeconds', 'durationSeconds']);

/** What must be equal in all results of a merge. */
function kindOf({ engineVersion, options }: StoredResult): string {
  const common = Object.entries(options).filter(([name]) => !ENTRY_OPTIONS.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return `version ${engineVersion}, options ${JSON.stringify(Object.fromEntries(common))}`;
}

function mixed(kinds: ReadonlyMap<string, string>): Error {
  const [[first, firstId], [second, secondId]] = [...kinds] as [[string, string], [string, string]];
  return new Error(
    `the results differ in version or options: ${firstId} has ${first}, ${secondId} has ${second}. Run again with equal options, or merge both by --allow-mixed`,
  );
}

/** Older temporary files belong to a killed merge, because a running merge writes continuously. */
const ABANDONED_MS = 3600 * 1000;
/** Attempts to put a folder in place of that of another merge. */
const MAX_SWAPS = 5;

/** The files of an output folder. They appear together, at the end. Two merges at once write different temporary files. */
class Outputs {
  private constructor(
    private readonly out: string,
    /** Receives the RTTM file of each entry. */
    private readonly staged: string,
    private readonly rttm: AtomicFile,
    private readonly supervisions: AtomicFile,
    private readonly nemo: AtomicFile,
    private readonly results: AtomicFile,
  ) {}

  static async create(out: string): Promise<Outputs> {
    const staged = temporaryName(join(out, RTTM_FOLDER));
    await removeTemporaryFiles(out, (name) => [...MERGED_FILES, RTTM_FOLDER].includes(name), ABANDONED_MS);
    // Two calls, because on a read-only disk the recursive call reports that the folder does not exist.
    await attempt(join(out, RTTM_FOLDER), async () => {
      await mkdir(out, { recursive: true });
      await mkdir(staged);
    });
    const [rttm, supervisions, nemo, results] = MERGED_FILES;
    const file = (name: string): Promise<AtomicFile> => AtomicFile.create(join(out, name));
    return new Outputs(out, staged, await file(rttm), await file(supervisions), await file(nemo), await file(results));
  }

  async addResult(entry: Entry, stored: StoredResult): Promise<void> {
    const { id, recording } = entry;
    const turns = labeledTurns(entry, stored);
    const text = toRttm(turns, recording);
    const path = join(this.staged, `${id}.rttm`);
    await attempt(path, () => writeFile(path, text));
    await this.rttm.write(text);
    for (const [index, turn] of sorted(turns).entries()) await this.supervisions.write(jsonLine(supervision(entry, turn, index)));
    await this.nemo.write(jsonLine(nemoEntry(entry, stored, join(resolve(this.out), RTTM_FOLDER, `${id}.rttm`))));
    const { status, seconds, attempts, backend, host, finishedMs, engineVersion, options, optionsHash, inputSha256, counts, note } = stored;
    const { durationSeconds, timings } = stored.result;
    await this.results.write(
      jsonLine({
        ...head(entry), status, note, durationSeconds, ...counts, seconds, attempts, backend, timings,
        engineVersion, options, optionsHash, inputSha256, host, finishedMs,
      }),
    );
  }

  async addFailure(entry: Entry, { error, attempts, engineVersion, optionsHash, seconds, host, finishedMs }: StoredFailure): Promise<void> {
    await this.results.write(jsonLine({ ...head(entry), status: 'failed', error, seconds, attempts, engineVersion, optionsHash, host, finishedMs }));
  }

  async addMissing(entry: Entry): Promise<void> {
    await this.results.write(jsonLine({ ...head(entry), status: 'missing' }));
  }

  async addRefusal(refusal: object): Promise<void> {
    await this.results.write(jsonLine({ ...refusal, status: 'refused' }));
  }

  async close(): Promise<void> {
    // Write everything to the disk before the first rename, so that a full disk leaves the previous output unchanged.
    for (const file of this.files()) await file.seal();
    // Rename this file first: its presence marks the others as files of a merge.
    await this.results.close();
    const folder = join(this.out, RTTM_FOLDER);
    await attempt(folder, () => replaceFolder(folder, this.staged));
    for (const file of [this.rttm, this.supervisions, this.nemo]) await file.close();
  }

  async abandon(): Promise<void> {
    for (const file of this.files()) await file.abandon();
    await rm(this.staged, { recursive: true, force: true });
  }

  private files(): AtomicFile[] {
    return [this.rttm, this.supervisions, this.nemo, this.results];
  }
}

/** Puts a folder in the place of another one, which is then deleted. */
async function replaceFolder(path: string, replacement: string): Promise<void> {
  const old = temporaryName(path);
  for (let count = 1; ; count++) {
    await rename(path, old).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    try {
      await rename(replacement, path);
      break;
    } catch (error) {
      // Another merge may have renamed its folder to this name in the meantime.
      const isTaken = ['ENOTEMPTY', 'EEXIST'].includes(String(codeOf(error)));
      if (isTaken && count < MAX_SWAPS) {
        await rm(old, { recursive: true, force: true });
        continue;
      }
      await rename(old, path).catch(() => undefined);
      throw error;
    }
  }
  await rm(old, { recursive: true, force: true });
}

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown }).code;

const head = ({ id, recording, path, startSeconds, endSeconds, shard }: Entry): object => ({ id, recording, path, startSeconds, endSeconds, shard });

/**
 * The turns of an entry, in seconds from the start of the file. The speakers of different segments of a file are not
 * matched with each other, so their labels must differ.
 */
function labeledTurns({ id, startSeconds }: Entry, { exactTurns }: StoredResult): Turn[] {
  const prefix = startSeconds === undefined ? '' : `${id}-`;
  return exactTurns.map(([start, end, speaker]) => ({ startSeconds: start, endSeconds: end, speaker: prefix + speaker }));
}

/** The order of RTTM. */
const sorted = (turns: readonly Turn[]): Turn[] => turns.toSorted((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);

/**
 * A `SupervisionSegment` of Lhotse. `speaker` identifies a person in a whole corpus there, so it contains the recording.
 */
function supervision({ id, recording, recordingId = recording, startSeconds }: Entry, turn: Turn, index: number): object {
  return {
    id: `${id}-${String(index).padStart(5, '0')}`,
    recording_id: recordingId,
    start: toMicroseconds(turn.startSeconds),
    duration: toMicroseconds(turn.endSeconds - turn.startSeconds),
    channel: 0,
    speaker: startSeconds === undefined ? `${recording}-${turn.speaker}` : turn.speaker,
  };
}

/** An entry of NeMo's diarization manifests. NeMo needs absolute paths, and `uniq_id` if files have the same name. */
function nemoEntry({ id, path, startSeconds = 0, uem }: Entry, { counts, result }: StoredResult, rttm: string): object {
  return {
    audio_filepath: path,
    offset: startSeconds,
    duration: result.durationSeconds,
    label: 'infer',
    text: '-',
    num_speakers: counts.speakers,
    rttm_filepath: rttm,
    uem_filepath: uem ?? null,
    uniq_id: id,
  };
}

const toMicroseconds = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** @throws Error with a one-line message that names the file */
async function attempt(path: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
