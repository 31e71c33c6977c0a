import { expect, test } from 'vitest';
import { SampleReader } from './sampleReader';

/** Pieces of these lengths, whose samples are consecutive numbers. Counts the pieces that were requested. */
function pieces(lengths: readonly number[]): { readonly reader: SampleReader; readonly requested: () => number } {
  let requested = 0;
  let next = 0;
  async function* generate(): AsyncGenerator<Float32Array> {
    for (const length of lengths) {
      requested++;
      yield await Promise.resolve(Float32Array.from({ length }, () => next++));
    }
  }
  return { reader: new SampleReader(generate()), requested: () => requested };
}

test('returns blocks of the requested lengths for pieces of any lengths', async () => {
  const { reader } = pieces([3, 0, 5, 1, 0, 4]);
  const blocks = [];
  for (const count of [2, 1, 6, 100, 5]) blocks.push(await reader.next(count));
  expect(blocks.map((block) => block && [...block])).toEqual([[0, 1], [2], [3, 4, 5, 6, 7, 8], [9, 10, 11, 12], null]);
  expect(await reader.next(1)).toBeNull();
});

test('requests no piece before it is needed', async () => {
  const { reader, requested } = pieces([3, 5, 4]);
  expect((await reader.next(3))!.length).toBe(3);
  expect(requested()).toBe(1);
  expect((await reader.next(5))!.length).toBe(5);
  expect(requested()).toBe(2);
});

test('returns nothing for an empty stream', async () => {
  expect(await pieces([0, 0]).reader.next(4)).toBeNull();
});
