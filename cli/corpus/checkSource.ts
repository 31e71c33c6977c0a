/** Validates one source: the files exist, the recording is readable, and the segment lies within it. */
import { messageOf, VoxlaneError } from '../../src/util/errors';
import type { Entry } from './layout';
import { probeFile, requireBeside, type ProbedFile } from './probe';
import { type Reason, Refused, type Source } from './source';

/** A validated entry that has no name and no shard yet. */
export type CheckedSource = Omit<Entry, 'id' | 'recording' | 'shard'>;

/** Times of manifests are rounded, and some lengths are estimates. */
const TOLERATED_SECONDS = 0.25;
/** Manifests often have many segments of one file in a row. */
const MAX_KEPT = 256;

/** Checks sources. Reads the headers of a file once for all of its neighboring segments. */
export class SourceChecker {
  private readonly kept = new Map<string, Promise<ProbedFile>>();

  /** @throws Refused for every fault of the source */
  async check(source: Source): Promise<CheckedSource> {
    try {
      await requireBeside(source.referenceRttm, 'reference');
      await requireBeside(source.uem, 'UEM file');
      const file = await this.probe(source);
      const { path, numSpeakers, referenceRttm, uem } = source;
      const { bytes, modifiedMs } = file;
      return {
        path,
        ...segmentOf(source, file.durationSeconds),
        ...(numSpeakers !== undefined && { numSpeakers }),
        ...(referenceRttm !== undefined && { referenceRttm }),
        ...(uem !== undefined && { uem }),
        bytes,
        modifiedMs,
      };
    } catch (error) {
      throw error instanceof Refused ? error : new Refused(reasonFor(error));
    }
  }

  private async probe({ path, startSeconds = 0, durationSeconds }: Source): Promise<ProbedFile> {
    if (startSeconds === 0 && durationSeconds === undefined) return this.keep(path);
    try {
      return await this.keep(path);
    } catch (error) {
      if (durationSeconds === undefined) throw error;
      return probeFile(path, { startSeconds, durationSeconds });
    }
  }

  private keep(path: string): Promise<ProbedFile> {
    const known = this.kept.get(path);
    if (known) return known;
    const file = probeFile(path, null);
    // The first key is the oldest.
    if (this.kept.size >= MAX_KEPT) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(path, file);
    return file;
  }
}

/** The times of an entry. A segment that covers the file is the whole file: NeMo entries always have a duration. */
function segmentOf({ startSeconds = 0, durationSeconds }: Source, fileSeconds: number): Pick<CheckedSource, 'startSeconds' | 'endSeconds' | 'durationSeconds'> {
  const end = durationSeconds === undefined ? fileSeconds : startSeconds + durationSeconds;
  if (durationSeconds === 0) throw new Refused(segmentReason('The segment has a duration of 0 s', fileSeconds));
  if (startSeconds >= fileSeconds) throw new Refused(segmentReason(`The segment starts at ${startSeconds} s, after the end of the file`, fileSeconds));
  if (end > fileSeconds + TOLERATED_SECONDS) throw new Refused(segmentReason(`The segment ends at ${toMilliseconds(end)} s, after the end of the file`, fileSeconds));
  if (startSeconds === 0 && end >= fileSeconds - TOLERATED_SECONDS) return { durationSeconds: toMicroseconds(fileSeconds) };
  const endSeconds = Math.min(end, fileSeconds);
  return { startSeconds, endSeconds: toMicroseconds(endSeconds), durationSeconds: toMicroseconds(endSeconds - startSeconds) };
}

const segmentReason = (problem: string, fileSeconds: number): Reason => ({
  code: 'segment',
  problem,
  expected: `times within the file, which has ${toMilliseconds(fileSeconds)} s`,
  remedy: 'Correct offset and duration of the entry',
});

function reasonFor(error: unknown): Reason {
  if (!(error instanceof VoxlaneError)) return { code: 'unreadable', problem: messageOf(error) };
  const { code, problem, expected, remedy } = error;
  return { code, problem, ...(expected !== undefined && { expected }), ...(remedy !== undefined && { remedy }) };
}

const toMilliseconds = (seconds: number): number => Math.round(seconds * 1e3) / 1e3;
const toMicroseconds = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;
