import { concatenate } from '../util/concatenate';
import { VoxlaneError } from '../util/errors';
import type { GraphTensor, ValueRunner } from './graphRunner';
import type { Tensor } from './tensor';

/**
 * A value at another batch size: alone where its inputs have several items, and beside a second one, the first
 * reversed, where they have one.
 *
 * @returns the first item, whose batch axis is 1; null where the graph takes no other batch size
 * @throws VoxlaneError what the backend throws for other reasons
 */
export async function otherBatch(
  graph: ValueRunner,
  feeds: ReadonlyMap<string, GraphTensor>,
  value: string,
): Promise<Tensor | null> {
  const needed = graph.inputsOf(feeds, [value]);
  const [numItems, ...others] = new Set(needed.map((name) => feeds.get(name)?.shape[0]));
  // Without a common first axis there is no batch.
  if (numItems === undefined || others.length > 0) return null;
  const change = numItems > 1 ? firstItem : withReversed;
  const changed = new Map(needed.map((name) => [name, change(feeds.get(name)!)]));
  try {
    const result = (await graph.values(changed, [value])).get(value)!;
    return numItems > 1 || result.shape[0] === 2 ? firstItem(result) : null;
  } catch (error) {
    // A graph of fixed batch size says so in the runtime's words only.
    if (error instanceof VoxlaneError && error.code === 'backend-failed') return null;
    throw error;
  }
}

function firstItem({ data, exact, shape }: Tensor): Tensor {
  const [numItems = 1, ...rest] = shape;
  const end = data.length / Math.max(numItems, 1);
  return { data: data.slice(0, end), ...(exact && { exact: exact.slice(0, end) }), shape: [1, ...rest] };
}

/** Reversed, because an item beside its own copy would hide an average over the batch. */
function withReversed({ data, exact, shape }: Tensor): Tensor {
  const both = exact && new (exact.constructor as Float64ArrayConstructor)(2 * exact.length);
  both?.set(exact as Float64Array);
  both?.set((exact as Float64Array).toReversed(), exact!.length);
  return { data: concatenate([data, data.toReversed()]), ...(both && { exact: both }), shape: [2, ...shape.slice(1)] };
}
