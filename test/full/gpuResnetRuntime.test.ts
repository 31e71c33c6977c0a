/** ResNet34 with seeded weights through ONNX Runtime's WebGPU, in batches of windows, compared with WASM. On Dawn in Node. */
import { expect, test, vi } from 'vitest';
import { embeddingStage } from '../../src/compare/modelCheck';
import { compareTensors } from '../../src/compare/compare';
import type { EmbedBatch } from '../../src/embedding/embedder';
import { GpuRuntimePooling } from '../../src/embedding/gpuRuntimePooling';
import { openPooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { openGpu } from '../../src/gpu/context';
import { concatenate } from '../../src/util/values';
import { installGpuFault } from '../browser/gpuFaults';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';
import { fetchFiles } from '../gpu/openInNode';
import { noise } from '../kernels/fixtures/goldens';
import { RESNET34 } from '../resnetGoldens';
import { seededResnet34 } from '../seededModel';
import { describeUnless } from '../skips';

const missing = await installDawn();
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const TIMEOUT_MS = 600_000;
const [NUM_WINDOWS, NUM_SPEAKERS, MASK_FRAMES] = [3, 2, 20];
/** A quarter of a second: a software adapter is slow. */
const NUM_SAMPLES = 4000;

describeUnless(missing)('ResNet34 through ONNX Runtime', { timeout: TIMEOUT_MS }, () => {
  test('computes a batch of windows in one run, and in a smaller one, as on WASM; zeros are an error', async () => {
    fetchFiles();
    const bytes = seededResnet34('wespeaker');
    const options = { runtimeBase: RUNTIME_BASE, threads: 1 };
    const wasm = await openPooledEmbedder(bytes, RESNET34, { ...options, gpu: null });
    const runtime = await openPooledEmbedder(bytes, RESNET34, { ...options, gpu: await openGpu(), ownKernels: false });
    const ran = vi.spyOn(GpuRuntimePooling.prototype, 'embed');
    const limit = vi.spyOn(GpuRuntimePooling.prototype, 'maxWindows');
    const batch: EmbedBatch = {
      windows: concatenate(Array.from({ length: NUM_WINDOWS }, (_, window) => noise(NUM_SAMPLES, window))),
      // The second speaker talks in the last two thirds of each window.
      activity: Uint8Array.from({ length: NUM_WINDOWS * MASK_FRAMES * NUM_SPEAKERS }, (_, i) =>
        Number((Math.floor(i / NUM_SPEAKERS) % MASK_FRAMES < 6) === (i % NUM_SPEAKERS === 0))),
      numWindows: NUM_WINDOWS,
      numSpeakers: NUM_SPEAKERS,
    };
    const expected = embeddingStage('embedding', (await wasm.embed(batch)).embeddings);
    for (const most of [null, 2]) {
      ran.mockClear();
      if (most !== null) limit.mockReturnValue(most);
      const { embeddings } = await runtime.embed(batch);
      expect(ran.mock.calls.map(([, jobs]) => jobs.length)).toEqual(most === null ? [NUM_WINDOWS] : [1, 2]);
      const { cosine, maxAbs, nanCount, infCount } = compareTensors(embeddings, expected.data, expected);
      console.log(`batches of at most ${most ?? NUM_WINDOWS}: max |Δ| ${maxAbs.toExponential(1)}, 1 - cosine ${(1 - cosine).toExponential(1)}`);
      expect({ nanCount, infCount }).toEqual({ nanCount: 0, infCount: 0 });
      expect(cosine).toBeGreaterThan(expected.tolerance.cosine);
      expect(maxAbs).toBeLessThan(expected.tolerance.maxAbs);
    }
    limit.mockRestore();
    setFault({ stage: 'embedding', kind: 'zeros' });
    await expect(runtime.embed(batch).finally(() => { setFault(null); })).rejects.toMatchObject({ code: 'gpu-wrong' });
    await runtime.close();
    await wasm.close();
  });
});
