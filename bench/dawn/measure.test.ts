import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type * as Library from '../../src/index';
import { measureSpeed, type Setup } from './measure';
import { addCounts, newCounts } from './meterShare';
import { readModels } from './models';

const models = readModels('models');
const { numFrames } = models.segmentation.manifest;

/** An engine with the same results for all audio: two windows with one speaker in the first. */
function setupWith(backend: 'webgpu' | 'wasm', lengths: number[], onRun: () => void): Setup {
  const activity = new Uint8Array(2 * numFrames * 3);
  for (let frame = 0; frame < numFrames; frame++) activity[3 * frame] = 1;
  const embeddings = new Float32Array(6).fill(NaN);
  embeddings[0] = 1;
  const voices = { activity, embeddings, embedded: Uint8Array.of(1, 1), numSpeakers: 3, dimension: 1 };
  const create = (options: { readonly backend: string; readonly speed: string }) => ({
    diarize: async (audio: Blob) => {
      const durationSeconds = (audio.size - 44) / 32_000;
      lengths.push(durationSeconds);
      onRun();
      return Promise.resolve({
        durationSeconds,
        speed: options.speed,
        timings: { decode: 0.5, segmentation: 2, fbank: 0.25, embedding: 1, counting: 0.5, clustering: 3, reconstruction: 0.25 },
        backend: { name: options.backend === 'webgpu' ? backend : 'wasm', reason: 'because' },
        voices,
        turns: [],
      });
    },
    dispose: () => undefined,
  });
  const library = { Diarizer: { create } } as unknown as typeof Library;
  return { library, models, sample: readFileSync('public/sample.wav'), trustGpu: true, say: () => undefined };
}

it('measures each length, and reuses the run of the compared piece', async () => {
  const [counts, lengths] = [newCounts(), [] as number[]];
  const setup = setupWith('webgpu', lengths, () => { addCounts(counts, 'segmentation', { dispatches: 20, batches: 1 }); });
  const { runs, parity } = await measureSpeed(setup, counts, 'exact', [11, 40], true);
  // The last one is the piece on WASM.
  expect(lengths).toEqual([11, 40, 11]);
  expect(runs.map(({ audioSeconds }) => audioSeconds)).toEqual([11, 40]);
  expect(runs[1]).toMatchObject({ speed: 'exact', clusteringSeconds: 3, restSeconds: 1.25, numWindows: 2, numEmbeddings: 1, backend: 'because' });
  expect(runs[1]!.gpu.segmentation).toMatchObject({ seconds: 2, dispatches: 20, batches: 1 });
  expect(runs[1]!.gpu.embedding.flops).toBe(2 * models.embedding.work.of(998).multiplyAdds);
  expect(parity).toMatchObject({ speed: 'exact', audioSeconds: 11, differingFrames: 0, leastCosine: 1 });
});

it('compares a piece of half a minute of longer audio', async () => {
  const lengths: number[] = [];
  const { parity } = await measureSpeed(setupWith('webgpu', lengths, () => undefined), newCounts(), 'fast', [60], true);
  expect(lengths).toEqual([60, 30, 30]);
  expect(parity).toMatchObject({ audioSeconds: 30 });
});

it('fails if the product used WASM', async () => {
  const measured = measureSpeed(setupWith('wasm', [], () => undefined), newCounts(), 'fast', [11], true);
  await expect(measured).rejects.toThrow('the product did not use WebGPU: because. Measure the GPU anyway with --trust-gpu');
});
