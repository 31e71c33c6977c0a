import type { NodeChanges } from '../../onnx/replaceNodes';
import { hasShape } from '../measure';
import type { Tensor } from '../tensor';
import type { LayerGraph } from './context';

/** Steps of the search; of a number on which the stage depends linearly, the first one meets the best. */
const MAX_STEPS = 3;

/** Share of the error's norm that a step must at least take away. */
const MIN_GAIN = 0.2;

/** Change of the number, relative to itself, below which it counts as found. */
const FOUND = 1e-4;

/**
 * The number with which the stage comes nearest to the golden values, by Gauss and Newton. Two runs for each step.
 *
 * @param start the number in our graph
 * @param width how far to move it to see what it does
 * @param changesFor the nodes with another number in them
 * @returns null if it does not bring the stage nearer
 */
export async function fitNumber(
  graph: LayerGraph,
  golden: Tensor,
  start: number,
  width: number,
  changesFor: (value: number) => NodeChanges,
): Promise<number | null> {
  let at = start;
  let own = await graph.unchanged();
  for (let step = 0; step < MAX_STEPS; step++) {
    if (!own || !hasShape(own, golden.shape)) return null;
    const moved = await graph.run(changesFor(at + width));
    if (!moved || !hasShape(moved, golden.shape)) return null;
    let product = 0;
    let square = 0;
    for (let index = 0; index < golden.data.length; index++) {
      const slope = (moved.data[index]! - own.data[index]!) / width;
      product += slope * (golden.data[index]! - own.data[index]!);
      square += slope * slope;
    }
    const change = product / square;
    // The stage does not depend on the number, or is not finite.
    if (!Number.isFinite(change)) return null;
    const next = await graph.run(changesFor(at + change));
    if (!next || !hasShape(next, golden.shape)) return null;
    const before = errorOf(own, golden);
    if (!(errorOf(next, golden) <= (1 - MIN_GAIN) * before)) return step === 0 ? null : at;
    at += change;
    if (Math.abs(change) <= FOUND * Math.abs(at)) break;
    own = next;
  }
  return at;
}

const errorOf = ({ data }: Tensor, golden: Tensor): number =>
  Math.sqrt(data.reduce((sum, value, index) => sum + (value - golden.data[index]!) ** 2, 0));
