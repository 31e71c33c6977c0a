import { VoxlaneError } from '../util/errors';
import type { GraphRunner, GraphTensor } from './graphRunner';

/** Greatest number of values per run, because all of them are in memory at once. */
export const VALUES_PER_RUN = 64;

/** Error codes of a part of a graph that cannot run or gives no numeric tensor. */
const UNSUITED: readonly string[] = ['options', 'backend-failed', 'model-output'];

/** The values that can be computed. Others, such as sequences, are left out. */
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
