import { linearExponents, MAX_CLUSTERING_SECONDS, MAX_EXPONENT, MAX_KEPT_MEGABYTES, MAX_PEAK_MEGABYTES, MAX_TASK_MS } from '../scale/bounds';
import type { LengthFigures } from '../scale/measure';
import type { Group } from './figure';
import { runJson } from './script';

const MINUTES = [60, 120];

/** An hour and two, with `fast`. The bounds are those of bench:scale, which goes on to three. */
export const scale: Group = {
  name: 'scale',
  bounds: [
    {
      name: 'scale-growth',
      what: 'greatest exponent of the time of a stage, clustering aside, and of the whole, two hours over one',
      unit: '',
      limit: MAX_EXPONENT,
      side: 'at most',
      reason: 'every stage except clustering is linear (exponent 1); the margin covers noise of the machine',
    },
    {
      name: 'scale-clustering',
      what: 'time of the clustering of two hours',
      unit: 's',
      limit: MAX_CLUSTERING_SECONDS,
      side: 'at most',
      reason: 'the bound of bench:scale, for any length; absolute because a user waits for it after all other stages',
    },
    {
      name: 'scale-memory',
      what: "memory of the browser's processes at the peak",
      unit: 'MB',
      limit: MAX_PEAK_MEGABYTES,
      side: 'at most',
      reason: 'the bound of bench:scale, whatever the length; absolute because the memory limit of a tab is',
    },
    {
      name: 'scale-kept',
      what: 'memory of the browser after a run, more than before',
      unit: 'MB',
      limit: MAX_KEPT_MEGABYTES,
      side: 'at most',
      reason: 'the bound of bench:scale: code and caches of the browser stay, workers and their memory do not',
    },
    {
      name: 'scale-task',
      what: "longest task of the page's thread, as long as the browser says; 0 if none is over 50 ms",
      unit: 'ms',
      limit: MAX_TASK_MS,
      side: 'at most',
      reason: 'the browser calls a task over 50 ms a long one, because input then waits noticeably; absolute for that reason',
    },
  ],
  measure: async () => {
    const report = await runJson('bench/scale.ts', ['--minutes', MINUTES.join(','), '--json']);
    return figuresOf((report as { lengths: LengthFigures[] }).lengths);
  },
};

/** The worst of all lengths. */
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
