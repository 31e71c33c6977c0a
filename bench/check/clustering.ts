import { hasShared, SHARED_MISSING } from '../../test/shared';
import type { ClusteringCase, ClusteringFigures } from './clusteringProcess';
import type { Bound, Group } from './figure';
import { runJson } from './script';

const seconds = (name: string, what: string): Bound => ({
  name,
  what: `processor time of ${what}`,
  unit: 's',
  limit: 60,
  side: 'at most',
  reason: 'the bound of bench:scale on clustering, for three hours with a voice in nearly every place; absolute because a user waits for it',
});

/**
 * Beyond what is held before: three copies of the rows in float64 (as they are, along principal axes, by cells: 65 MB each
 * with 256 values) and their sketches, with room for what is not yet collected.
 */
const megabytes = (name: string, what: string): Bound => ({
  name,
  what: `memory of the process at the peak of ${what}, beyond its inputs`,
  unit: 'MB',
  limit: 400,
  side: 'at most',
  reason: 'three copies of the rows in float64 are 200 MB, and as much is not yet collected; absolute because the browser has 1.5 GB for everything',
});

const step = (name: string, what: string): Bound => ({
  name,
  what: `processor time of the longest of ten steps of the number of speakers, three hours, ${what}`,
  unit: 's',
  limit: 1,
  side: 'at most',
  reason: 'the result follows a slider; absolute because a user waits for each step',
});

/** Each in a process of its own, because the peak of a process never falls. That the results are right is in test/full. */
export const clustering: Group = {
  name: 'clustering',
  bounds: [
    {
      name: 'clustering-doubling',
      what: 'processor time of agglomeration of 20,000 embeddings over that of 10,000',
      unit: '',
      limit: 4,
      side: 'at most',
      reason: 'linkage without pruning is quadratic; pruning must not make it worse than that',
    },
    seconds('clustering-seconds', 'agglomeration of 32,000 embeddings, the slower of free and of six clusters'),
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
