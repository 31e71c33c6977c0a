import { expect, it } from 'vitest';
import * as layouts from './assembly/parameters';
import { Heap } from './kernels';
import { BLOCK_LENGTH, type BlockExports, type BlockKernels, withBlock } from './parameters';

/** The only float32 field. */
const FLOAT_FIELD = 'slope';
const FLAGS = ['relu', 'magnitude'];

const cases = Object.entries(layouts).map(([name, layout]) => {
  const fields = Object.entries(layout).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return { kernel: `${name[0]!.toLowerCase()}${name.slice(1)}` as keyof BlockKernels, fields };
});

it.each(cases)('writes every field of $kernel at its offset', ({ kernel, fields }) => {
  const heap = new Heap();
  const block = heap.allocate(BLOCK_LENGTH);
  const called: number[] = [];
  const exports = { [kernel]: (address: number) => called.push(address) } as unknown as BlockExports;
  const kernels = withBlock(exports, heap, block);
  // The memory grows, which detaches the views that the heap had before.
  heap.allocate(2 ** 20);
  const parameters = Object.fromEntries(
    fields.map(([name, place]) => [name, FLAGS.includes(name) ? true : name === FLOAT_FIELD ? 0.25 : 2 ** 31 + place]),
  );
  const run = kernels[kernel] as (named: typeof parameters) => void;
  run(parameters);
  expect(called).toEqual([block]);
  expect(fields.length).toBeLessThanOrEqual(BLOCK_LENGTH);
  const written = new DataView(heap.memory.buffer, block);
  for (const [name, place] of fields) {
    const value = name === FLOAT_FIELD ? written.getFloat32(4 * place, true) : written.getUint32(4 * place, true);
    expect(value, name).toBe(Number(parameters[name]));
  }
});
