import { linearExponents, MAX_CLUSTERING_SECONDS, MAX_EXPONENT, MAX_KEPT_MEGABYTES, MAX_PEAK_MEGABYTES, MAX_TASK_MS } from '../scale/bounds';
import type { LengthFigures } from '../scale/measure';
import type { Group } from './figure';
import { runJson } from './script';

const MINUTES = [60, 120];

/** One and two hours with `fast`. The limits are those of bench:scale, which also measures three hours. */
export const scale: Group = {
  name: 'scale',
  bounds: [
    {
      name: 'scale-growth',
      what: 'maximum growth exponent of the stage times, except clustering, and of the total time, two hours compared with one',
      unit: '',
      limit: MAX_EXPONENT,
      side: 'at most',
      reason: 'every stage except clustering is linear (exponent 1); the margin covers measurement noise',
    },
    {
      name: 'scale-clustering',
      what: 'clustering time for two hours',
      unit: 's',
      limit: MAX_CLUSTERING_SECONDS,
      side: 'at most',
      reason: 'limit of bench:scale for any length; absolute because a user waits for it after all other stages',
    },
    {
      name: 'scale-memory',
      what: 'peak memory of the browser processes',
      unit: 'MB',
      limit: MAX_PEAK_MEGABYTES,
      side: 'at most',
      reason: 'limit of bench:scale for any length; absolute because the memory limit of a tab is absolute',
    },
    {
      name: 'scale-kept',
      what: 'growth of browser memory from before to after a run',
      unit: 'MB',
      limit: MAX_KEPT_MEGABYTES,
      side: 'at most',
      reason: 'limit of bench:scale: code and caches of the browser remain, workers and their memory do not',
    },
    {
      name: 'scale-task',
      what: 'longest main-thread task, as reported by the browser; 0 if none exceeds 50 ms',
      unit: 'ms',
      limit: MAX_TASK_MS,
      side: 'at most',
      reason: 'tasks over 50 ms (long tasks) noticeably delay input, so the limit is absolute',
    },
  ],
  measure: async () => {
    const report = await runJson('bench/scale.ts', ['--minutes', MINUTES.join(','), '--json']);
    return figuresOf((report as { lengths: LengthFigures[] }).lengths);
  },
};

/** The worst figures of all lengths. */
export function figuresOf(lengths: readonly LengthFigures[]): Record<string, number> {
  const most = (valueOf: (figures: LengthFigures) => number) => Math.max(...lengths.map(valueOf));
  return {
    'scale-growth': Math.max(...Object.values(linearExponents(lengths))),
    'scale-clustering': most(({ stageSeconds }) => stageSeconds.clustering ?? NaN),
    'scale-memory': most(({ memory }) => memory.peak / 1e6),
    'scale-kept': most(({ memory }) => (memory.after - memory.before) / 1e6),
    'scale-task': most(({ longestTaskMs }) => longestTaskMs),
  };
}
