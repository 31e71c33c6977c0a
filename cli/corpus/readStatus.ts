/** The state of a corpus run, from the files that it has written so far. */
import { readdir } from 'node:fs/promises';
import { ErrorTable, addRefusals, type ErrorRow } from './errorTable';
import { CurrentRecords } from './currentRecords';
import { corpusFiles, readEntries, readPlan, readRecord } from './layout';
import { isLeaseAlive } from './leases';

/** The rate is measured over the files that were finished last, so that an interruption does not lower it for long. */
const RATE_MS = 15 * 60 * 1000;

export interface CorpusStatus {
  readonly numShards: number;
  readonly numEntries: number;
  readonly numDone: number;
  /** Of the done ones: without turns, because the file is silent. */
  readonly numSilent: number;
  readonly numFailed: number;
  readonly numRunning: number;
  /** Neither done, failed nor running. */
  readonly numRemaining: number;
  readonly numRefused: number;
  readonly audioSeconds: number;
  readonly audioSecondsDone: number;
  /** Of all entries without a result or a failure. */
  readonly audioSecondsLeft: number;
  /** Hours of audio per hour, by all workers together; null before the first file. */
  readonly audioHoursPerHour: number | null;
  readonly secondsLeft: number | null;
  /** When the last file was finished, in milliseconds since 1970; null before the first. */
  readonly lastFinishedMs: number | null;
  /** Refused inputs and failed files, by kind. */
  readonly errors: readonly ErrorRow[];
}

interface Finished {
  readonly finishedMs: number;
  /** Wall time of the file. */
  readonly seconds: number;
  readonly audioSeconds: number;
}

/**
 * @param nowMs in milliseconds since 1970
 * @throws Error with a one-line message if the folder has no valid plan, or a file in it is damaged
 */
export async function readStatus(folder: string, nowMs: number): Promise<CorpusStatus> {
  const plan = await readPlan(folder);
  const files = corpusFiles(folder);
  const records = await CurrentRecords.list(folder);
  const leases = await namesIn(files.running);
  const errors = new ErrorTable();
  const numRefused = await addRefusals(errors, folder);
  const finished: Finished[] = [];
  const counts = { numEntries: 0, numDone: 0, numSilent: 0, numFailed: 0, numRunning: 0, numRemaining: 0 };
  let [audioSeconds, audioSecondsDone, audioSecondsLeft] = [0, 0, 0];
  for await (const entry of readEntries(folder)) {
    const { id, durationSeconds } = entry;
    counts.numEntries++;
    audioSeconds += durationSeconds;
    const isRunning = leases.has(id) && (await isLeaseAlive(files.lease(id), nowMs));
    if (isRunning) counts.numRunning++;
    const found = await records.find(entry, (path, schema) => readRecord(path, schema).catch(() => null));
    if (found && 'result' in found) {
      const { result } = found;
      if (!isRunning) counts.numDone++;
      if (result.status === 'silent') counts.numSilent++;
      audioSecondsDone += durationSeconds;
      finished.push({ finishedMs: result.finishedMs, seconds: result.seconds, audioSeconds: durationSeconds });
    } else if (found) {
      const { failure } = found;
      if (!isRunning) counts.numFailed++;
      errors.add(failure.error.code, id, failure.error.problem, failure.error.remedy);
    } else {
      audioSecondsLeft += durationSeconds;
      if (!isRunning) counts.numRemaining++;
    }
  }
  const rate = recentRate(finished);
  return {
    numShards: plan.numShards,
    ...counts,
    numRefused,
    audioSeconds,
    audioSecondsDone,
    audioSecondsLeft,
    audioHoursPerHour: rate,
    secondsLeft: audioSecondsLeft === 0 ? 0 : rate === null ? null : audioSecondsLeft / rate,
    lastFinishedMs: finished.length === 0 ? null : finished.reduce((last, { finishedMs }) => Math.max(last, finishedMs), 0),
    errors: errors.rows(),
  };
}

/** Files that were never started have no folder. */
async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  return new Set(await readdir(folder).catch(() => []));
}

/** Seconds of audio per second, over the {@link RATE_MS} before the last finished file. */
export function recentRate(finished: readonly Finished[]): number | null {
  const last = finished.reduce((latest, { finishedMs }) => Math.max(latest, finishedMs), 0);
  const recent = finished.filter(({ finishedMs }) => finishedMs > last - RATE_MS);
  const start = recent.reduce((first, { finishedMs, seconds }) => Math.min(first, finishedMs - 1000 * seconds), last);
  const from = Math.max(start, last - RATE_MS);
  if (last <= from) return null;
  // Only the part of a file within the period counts.
  const audio = recent.reduce((sum, { finishedMs, seconds, audioSeconds }) => {
    const share = seconds <= 0 ? 1 : Math.min(1, (finishedMs - from) / (1000 * seconds));
    return sum + share * audioSeconds;
  }, 0);
  return audio / ((last - from) / 1000);
}
