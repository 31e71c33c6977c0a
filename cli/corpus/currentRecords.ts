/** The record that counts for each entry of a plan. */
import { readdir } from 'node:fs/promises';
import { corpusFiles, type CorpusFiles, type Entry, failureSchema, readRecord, resultSchema, type StoredFailure, type StoredResult } from './layout';

export type CurrentRecord = { readonly result: StoredResult } | { readonly failure: StoredFailure };

/** Times of segments are computed from their ends. */
const TOLERATED_SECONDS = 1e-6;

/**
 * Results and failures of a corpus folder, as listed at one moment.
 *
 * A failure has priority over a result, which is then from an earlier run, for example with other options. The result is
 * kept, because a later run with those options can use it. A record of an earlier plan can have the same id as an entry, but
 * another file, segment or number of speakers. It does not count.
 */
export class CurrentRecords {
  private constructor(
    private readonly files: CorpusFiles,
    private readonly results: ReadonlySet<string>,
    private readonly failures: ReadonlySet<string>,
  ) {}

  /** One listing per folder instead of two attempts per entry. Files that were never started have no folder. */
  static async list(folder: string): Promise<CurrentRecords> {
    const files = corpusFiles(folder);
    const [results, failures] = await Promise.all([files.results, files.failures].map(async (path) => new Set(await readdir(path).catch(() => []))));
    return new CurrentRecords(files, results!, failures!);
  }

  /**
   * @param read decides about damaged records
   * @throws errors of `read`
   */
  async find(entry: Entry, read: typeof readRecord): Promise<CurrentRecord | null> {
    const { id, path } = entry;
    const failure = this.failures.has(`${id}.json`) ? await read(this.files.failure(id), failureSchema) : null;
    if (failure?.path === path) return { failure };
    const result = this.results.has(`${id}.json`) ? await read(this.files.result(id), resultSchema) : null;
    return result?.path === path && isWithin(entry, result) ? { result } : null;
  }
}

/** Whether a result is from the segment of an entry, and has its number of speakers. `--start` and `--duration` select a part of the segment. */
function isWithin({ startSeconds = 0, endSeconds = Infinity, numSpeakers }: Entry, { options }: StoredResult): boolean {
  const start = Number(options.startSeconds ?? 0);
  const end = start + Number(options.durationSeconds ?? Infinity);
  const hasSpeakers = numSpeakers === undefined || options.speakers === numSpeakers;
  return hasSpeakers && start >= startSeconds - TOLERATED_SECONDS && end <= endSeconds + TOLERATED_SECONDS;
}
