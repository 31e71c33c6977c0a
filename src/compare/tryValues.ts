import { VoxlaneError } from '../util/errors';
import type { GraphRunner, GraphTensor } from './graphRunner';

/** Values that one run should give at most: all of them are in memory at once. */
export const VALUES_PER_RUN = 64;

/** What a part of a graph fails with that cannot run, or gives no tensor of numbers. */
const UNSUITED: readonly string[] = ['options', 'backend-failed', 'model-output'];

/** The values that can be computed. What no run gives, such as a sequence, is left out. */
export async function tryValues(
  graph: GraphRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  names: readonly string[],
): Promise<Map<string, GraphTensor>> {
  if (names.length === 0) return new Map();
  try {
    return await graph.values(feeds, names);
  } catch (error) {
    if (!(error instanceof VoxlaneError) || !UNSUITED.includes(error.code)) throw error;
    if (names.length === 1) return new Map();
    const half = names.length >> 1;
    const first = await tryValues(graph, feeds, names.slice(0, half));
    return new Map([...first, ...(await tryValues(graph, feeds, names.slice(half)))]);
  }
}
