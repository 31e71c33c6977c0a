import { describe, expect, it } from 'vitest';
import { atSpeed, CLASSES, estimate, type GpuClass, repeated, resnetEmbedding, secondsOf, type StageWork, sumOf, workOf } from './estimate';
import { readModels, readResnetModel } from './models';

const counted = { numWindows: 3, voiceFrames: [[100], [], [200, 300]] };

it('continues windows periodically, and embeds windows at a hop and the last one with fast', () => {
  const whole = repeated(counted, 2, 6);
  expect(whole).toEqual({ numWindows: 6, voiceFrames: [[100], [], [100], [], [100], []] });
  const all = { numWindows: 5, voiceFrames: [[1], [2], [3], [4], [5]] };
  expect(atSpeed(all, 'exact', 3)).toEqual(all);
  expect(atSpeed(all, 'fast', 3).voiceFrames).toEqual([[1], [], [], [4], [5]]);
});

describe('seconds of a stage', () => {
  const gpu: GpuClass = { name: '', peak: 1000, efficiency: 0.5, bandwidth: 100, coreBandwidth: 10, link: 20, cores: 4, dispatchSeconds: 0.25, roundTripSeconds: 0.5, windowsPerBatch: 3 };
  const none: StageWork = { flops: 0, bytes: 0, dispatches: 0, batches: 0, transferred: 0, recurrence: null };

  it('are those of arithmetic or of memory, whichever is larger', () => {
    expect(secondsOf({ ...none, flops: 1000, bytes: 100 }, gpu)).toBe(2);
    expect(secondsOf({ ...none, flops: 1000, bytes: 300 }, gpu)).toBe(3);
  });

  it('include dispatches, round trips, transfers, and the rounds of the recurrence', () => {
    expect(secondsOf({ ...none, dispatches: 4, batches: 2, transferred: 40 }, gpu)).toBe(1 + 1 + 2);
    // Two windows per workgroup: four workgroups on four cores take a round, six take two.
    const recurrent = { ...none, batches: 1, recurrence: { steps: 5, stepBytes: 30 } };
    expect(secondsOf(recurrent, gpu)).toBe(0.5 + 5 * 3);
    expect(secondsOf(recurrent, { ...gpu, windowsPerBatch: 5 })).toBe(0.5 + 2 * 5 * 3);
  });
});

describe('the bundled networks', () => {
  const models = readModels('models');

  it('have the work of their batches', () => {
    const work = workOf(counted, models, 2);
    const { windowSamples } = models.segmentation.manifest;
    expect(work.segmentation).toMatchObject({ batches: 2, dispatches: 2 * 31, flops: 6 * models.segmentation.work.of(windowSamples).multiplyAdds });
    expect(work.segmentation.recurrence).toEqual({ steps: 4 * 589, stepBytes: 4 * 512 * 128 });
    expect(work.fbank).toMatchObject({ batches: 2, dispatches: 4, transferred: 2 * 4 * windowSamples });
    expect(work.embedding).toMatchObject({ batches: 2, dispatches: 2 * 185, transferred: 4 * (600 + 3 * 192) });
  });

  it('include ResNet34, whose work depends on the windows with speech, and little on the speakers', () => {
    const resnet = readResnetModel('models', 'e2e/fixtures/resnet34');
    const embedding = resnetEmbedding(resnet);
    const workWith = (voiceFrames: number[][], windowsPerBatch: number) => workOf({ numWindows: voiceFrames.length, voiceFrames }, models, windowsPerBatch, embedding);
    const alone = workWith([[10]], 1);
    expect(alone.embedding).toMatchObject({ batches: 1, dispatches: 79, transferred: 4 * (125 + 256) });
    expect(alone.embedding.flops).toBe(2 * (resnet.work.of(998).multiplyAdds + resnet.work.ofSpeaker(998).multiplyAdds));
    const three = workWith([[10, 20, 30]], 1);
    expect(three.embedding.flops / alone.embedding.flops).toBeLessThan(1.001);
    expect(three.segmentation).toEqual(alone.segmentation);
    // Six windows fit into memory at a time.
    const [six, seven] = [6, 7].map((count) => workWith([...Array.from({ length: count }, () => [10]), []], 32));
    expect(six!.embedding).toMatchObject({ batches: 1, dispatches: 79, flops: 6 * alone.embedding.flops });
    expect(seven!.embedding).toMatchObject({ batches: 2, dispatches: 2 * 79, flops: 7 * alone.embedding.flops });
    expect(seven!.fbank.batches).toBe(1);
    const one = estimate({ numWindows: 1, voiceFrames: [[10]] }, models, CLASSES[0]!, { audioSeconds: 10, speed: 'exact' }, embedding);
    expect(one).toMatchObject({ embedding: 'wespeaker-resnet34-lm', work: { embedding: alone.embedding } });
    expect(sumOf(one)).toBeCloseTo(one.seconds.fbank + one.seconds.segmentation + one.seconds.embedding, 12);
  });

  it('need more time with exact than with fast, on every class', () => {
    const run = { audioSeconds: 60 };
    const all = repeated(counted, 3, 51);
    for (const gpu of CLASSES) {
      const exact = estimate(all, models, gpu, { ...run, speed: 'exact' });
      const fast = estimate(atSpeed(all, 'fast', 5), models, gpu, { ...run, speed: 'fast' });
      expect(fast.seconds.embedding).toBeLessThan(exact.seconds.embedding);
      expect(fast.seconds.segmentation).toBe(exact.seconds.segmentation);
    }
  });
});
