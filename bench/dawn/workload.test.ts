import { expect, it } from 'vitest';
import { readModels } from './models';
import { embeddedWindows, flopsOf, framesPerWindow, pooledWorkloadOf, workloadOf } from './workload';

const models = readModels('models');
const numSpeakers = 3;
const { numFrames } = models.segmentation.manifest;

it('counts the frames of embedded speakers only, and their operations', () => {
  // Window 0: speaker 1 in the first half. Window 1: the same, but not embedded. Window 2: too short for an embedding.
  const activity = new Uint8Array(3 * numFrames * numSpeakers);
  for (const window of [0, 1]) {
    for (let frame = 0; frame < Math.ceil(numFrames / 2); frame++) activity[(window * numFrames + frame) * numSpeakers + 1] = 1;
  }
  activity[2 * numFrames * numSpeakers] = 1;
  const embeddings = new Float32Array(3 * numSpeakers * 2).fill(NaN);
  embeddings.set([1, 2], 2);
  const workload = workloadOf({ activity, embeddings, embedded: Uint8Array.of(1, 0, 1), numSpeakers, dimension: 2 }, 'fast', models);
  expect(framesPerWindow(models)).toBe(998);
  expect(workload).toEqual({ numWindows: 3, voiceFrames: [[500], [], []] });
  expect(embeddedWindows(workload)).toBe(1);
  const flops = flopsOf(workload, models);
  expect(flops.embedding).toBe(2 * models.embedding.work.of(500).multiplyAdds);
  expect(flops.segmentation).toBe(6 * models.segmentation.work.of(160_000).multiplyAdds);
  expect(flops.fbank / 998).toBeGreaterThan(5 * 512 * 9);
});

it('counts every local speaker with enough frames for a model that pools over masks', () => {
  // Window 0: speaker 0 in the first half, speaker 1 in a frame of the other half. Window 1: no speech.
  const activity = new Uint8Array(2 * numFrames * numSpeakers);
  for (let frame = 0; frame < Math.ceil(numFrames / 2); frame++) activity[frame * numSpeakers] = 1;
  activity[400 * numSpeakers + 1] = 1;
  const voices = { activity, embedded: Uint8Array.of(1, 1), numSpeakers };
  const withMinimum = (minFrames: number) => pooledWorkloadOf(voices, models, { manifest: { ...models.embedding.manifest, minFrames } });
  expect(withMinimum(1)).toEqual({ numWindows: 2, voiceFrames: [[500, 2], []] });
  expect(withMinimum(3)).toEqual({ numWindows: 2, voiceFrames: [[500], []] });
});
