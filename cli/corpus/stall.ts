/** Ends the wait for an engine that hangs, so that one file cannot stop a shard. */
import { VoxlaneError } from '../../src/util/errors';

/**
 * Longer than any step without progress: the clustering of a recording of many hours takes minutes.
 */
export const STALL_MS = 30 * 60_000;

/**
 * Waits for work that reports progress.
 *
 * @param limitMs time without a report after which the work is given up
 * @param work gets the function to call for each report. If it is given up, it continues: end its process
 * @throws VoxlaneError `worker-failed` after `limitMs` without a report, and the errors of `work`
 */
export async function unlessStalled<Result>(limitMs: number, work: (onProgress: () => void) => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(stallError(limitMs)); }, limitMs);
  });
  try {
    return await Promise.race([stalled, work(() => { timer?.refresh(); })]);
  } finally {
    clearTimeout(timer);
  }
}

const stallError = (limitMs: number): VoxlaneError =>
  new VoxlaneError({
    code: 'worker-failed',
    problem: `The engine made no progress for ${limitMs / 60_000} minutes`,
    expected: 'a decoder and models that process the file piece by piece',
    remedy: 'Convert the recording to WAV, or remove it from the plan',
  });
