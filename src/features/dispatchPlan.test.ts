import { expect, test } from 'vitest';
import { planDispatches, type DispatchLimits } from './gpuFbank';

const geometry = { frameSamples: 400, hopSamples: 160, leadSamples: 0, fftSize: 512 };
/** WebGPU's minimum limits. */
const limits: DispatchLimits = {
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBufferBindingSize: 2 ** 27,
  minStorageBufferOffsetAlignment: 256,
};

test('a batch that fits is one dispatch', () => {
  const shape = { numWindows: 32, numSamples: 160000, numFrames: 998, numMelBins: 80 };
  expect(planDispatches(shape, geometry, limits)).toEqual([
    {
      firstFrame: 0,
      endFrame: 32 * 998,
      groupsPerRow: 32 * 998,
      rows: 1,
      samples: { offset: 0, size: 4 * (31 * 160000 + 997 * 160 + 400) },
      features: { offset: 0, size: 4 * 32 * 998 * 80 },
    },
  ]);
});

test('an hour in one window requires rows of workgroups, and dispatches within the binding limit', () => {
  const shape = { numWindows: 1, numSamples: 57_600_000, numFrames: 359_998, numMelBins: 80 };
  const roomy = planDispatches(shape, geometry, { ...limits, maxStorageBufferBindingSize: 2 ** 30 });
  expect(roomy.map(({ groupsPerRow, rows }) => [groupsPerRow, rows])).toEqual([[65535, 6]]);
  const dispatches = planDispatches(shape, geometry, limits);
  expect(dispatches).toHaveLength(2);
  expect(dispatches[1]!.firstFrame).toBe(dispatches[0]!.endFrame);
  expect(dispatches.at(-1)!.endFrame).toBe(shape.numFrames);
  for (const { samples, features } of dispatches) {
    for (const { offset, size } of [samples, features]) {
      expect(size).toBeLessThanOrEqual(limits.maxStorageBufferBindingSize);
      expect(offset % limits.minStorageBufferOffsetAlignment).toBe(0);
    }
  }
});

test('a device with too small limits causes an error', () => {
  const shape = { numWindows: 1, numSamples: 1000, numFrames: 4, numMelBins: 80 };
  const tiny = { ...limits, maxStorageBufferBindingSize: 1000 };
  expect(() => planDispatches(shape, geometry, tiny)).toThrow(
    expect.objectContaining({ code: 'backend-failed', problem: expect.stringContaining('1000 bytes') as string }),
  );
});
