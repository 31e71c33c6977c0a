import { describe, expect, it } from 'vitest';
import { atOnce, inSlices } from './concurrency';

function* counted(steps: number, taken: number[]): Generator<void, number> {
  for (let step = 0; step < steps; step++) {
    taken.push(step);
    yield;
  }
  return steps;
}

describe('work in steps', () => {
  it('returns the same result at once and in slices', async () => {
    expect(atOnce(counted(3, []))).toBe(3);
    await expect(inSlices(counted(3, []))).resolves.toBe(3);
  });

  it('starts in a new task, and stops if the result is no longer needed', async () => {
    const taken: number[] = [];
    let isWanted = true;
    const work = inSlices(counted(3, taken), () => isWanted);
    expect(taken).toEqual([]);
    isWanted = false;
    await expect(work).resolves.toBeNull();
    expect(taken).toEqual([]);
  });
});
