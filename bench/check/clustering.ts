import { hasShared, SHARED_MISSING } from '../../test/shared';
import type { ClusteringCase, ClusteringFigures } from './clusteringProcess';
import type { Bound, Group } from './figure';
import { runJson } from './script';

const seconds = (name: string, what: string): Bound => ({
  name,
  what: `CPU time of ${what}`,
  unit: 's',
  limit: 60,
  side: 'at most',
  reason: 'clustering limit of bench:scale, for three hours with nearly all local speakers active; absolute because a user waits for it',
});

/**
 * Memory beyond the inputs: three copies of the rows in float64 (original, along principal axes, sorted by cell: 65 MB each
 * with 256 values) and their sketches, plus room for uncollected garbage.
 */
const megabytes = (name: string, what: string): Bound => ({
  name,
  what: `peak process memory of ${what}, beyond its inputs`,
  unit: 'MB',
  limit: 400,
  side: 'at most',
  reason: 'three copies of the rows in float64 take 200 MB, plus the same amount of uncollected garbage; absolute because the browser has 1.5 GB in total',
});

const step = (name: string, what: string): Bound => ({
  name,
  what: `CPU time of the longest of ten changes of the number of speakers, three hours, ${what}`,
  unit: 's',
  limit: 1,
  side: 'at most',
  reason: 'the result follows a slider; absolute because a user waits for each change',
});

/** Each case runs in a separate process, because the peak memory of a process never decreases. test/full checks the results. */
export const clustering: Group = {
  name: 'clustering',
  bounds: [
    {
      name: 'clustering-doubling',
      what: 'CPU time of agglomerative clustering of 20,000 embeddings, divided by that of 10,000',
      unit: '',
      limit: 4,
      side: 'at most',
      reason: 'linkage without pruning is quadratic; pruning must not be worse',
    },
    seconds('clustering-seconds', 'agglomerative clustering of 32,000 embeddings, the slower of automatic and six clusters'),
    megabytes('clustering-memory', 'the same'),
    seconds('vbx-seconds', 'start labels and VBx of 32,000 embeddings'),
    megabytes('vbx-memory', 'the same'),
    step('step-agglomerative', 'agglomerative'),
    step('step-vbx', 'VBx'),
  ],
  ...(!hasShared && { unavailable: { 'vbx-seconds': SHARED_MISSING, 'vbx-memory': SHARED_MISSING } }),
  measure: async (wanted, say) => {
    const isWanted = (...names: string[]) => names.some((name) => wanted.has(name));
    const run = async (name: ClusteringCase): Promise<ClusteringFigures> => {
      say(`  ${name} …`);
      return (await runJson('bench/check/clusteringProcess.ts', [name])) as ClusteringFigures;
    };
    const values: Record<string, number> = {};
    if (isWanted('clustering-doubling')) {
      const [half, whole] = [await run('half'), await run('whole')];
      values['clustering-doubling'] = whole.seconds / half.seconds;
    }
    if (isWanted('clustering-seconds', 'clustering-memory')) {
      const runs = [await run('free'), await run('six')];
      values['clustering-seconds'] = Math.max(...runs.map((figures) => figures.seconds));
      values['clustering-memory'] = Math.max(...runs.map((figures) => figures.megabytes));
    }
    if (isWanted('vbx-seconds', 'vbx-memory')) {
      const figures = await run('vbx');
      values['vbx-seconds'] = figures.seconds;
      values['vbx-memory'] = figures.megabytes;
    }
    if (isWanted('step-agglomerative')) values['step-agglomerative'] = (await run('steps-agglomerative')).seconds;
    if (isWanted('step-vbx')) values['step-vbx'] = (await run('steps-vbx')).seconds;
    return values;
  },
};
