import type { GraphInfo } from '../onnx/model';
import { VoxlaneError } from '../util/errors';
import type { GraphRunner } from './graphRunner';
import { pairInputs } from './plan';
import { sizeOf, type NamedTensor, type Tensor } from './tensor';

/** Sizes to try for a variable axis, until the graph accepts one: convolutions need more than one value. */
const OPEN_SIZES = [16, 100, 1600, 16_000] as const;

/** Size of the first axis, the batch, if it is variable. */
const BATCH = 1;

/**
 * Returns the inputs of a graph: the given ones, else generated ones of a size that the graph accepts.
 *
 * @param runner the reference, on which generated inputs are tried
 * @throws VoxlaneError `options` if an input is missing, or if the graph accepts no generated input
 */
export async function findSampleFeeds(
  info: GraphInfo,
  given: readonly NamedTensor[],
  runner: GraphRunner,
): Promise<ReadonlyMap<string, Tensor>> {
  if (given.length > 0) return pairInputs(given, info, null);
  const outputs = info.outputs.map(({ name }) => name);
  let problem = '';
  for (const size of OPEN_SIZES) {
    const feeds = sampleInputs(info, size);
    try {
      await runner.values(feeds, outputs);
      return feeds;
    } catch (error) {
      if (!(error instanceof VoxlaneError)) throw error;
      ({ problem } = error);
    }
  }
  throw new VoxlaneError({
    code: 'options',
    problem: `The graph accepts no sample input of ${OPEN_SIZES.join(', ')} values along its variable axes. ${problem}`,
    expected: 'inputs with shapes that the graph accepts',
    remedy: 'Pass the inputs as .npy files',
  });
}

/**
 * Generates inputs for a graph: normally distributed floats, small integers. Deterministic.
 *
 * @param openSize size of every variable axis except the first
 */
export function sampleInputs({ inputs }: GraphInfo, openSize: number): Map<string, Tensor> {
  const random = seeded(1);
  return new Map(
    inputs.map(({ name, dtype, shape }) => {
      const sizes = (shape ?? [BATCH, openSize]).map((size, axis) =>
        typeof size === 'number' && size > 0 ? size : axis === 0 ? BATCH : openSize,
      );
      const isFloat = dtype.startsWith('float') || dtype === 'bfloat16';
      // Integers are mostly indices or lengths: 0 and 1 are within most tables.
      const draw = isFloat ? () => normal(random) : () => Math.floor(2 * random());
      return [name, { shape: sizes, data: Float32Array.from({ length: sizeOf(sizes) }, draw) }];
    }),
  );
}

/** Uniform in [0, 1), Mulberry32 by Tommy Ettinger: short, and sufficient to exercise a graph. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box-Muller transform from uniform to normal values. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
