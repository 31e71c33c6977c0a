/**
 * Tests the embedding stage in isolation on the reference segmentation with ONNX Runtime, independent of our segmentation
 * and kernels. The end-to-end test checks the same rows with ours.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import { NO_SHARED, readNpz, SHARED } from '../shared';
import campplus from '../../models/campplus-zh-en/manifest.json';
import type { FloatTensor, Graph } from '../../src/ort/graph';
import { parseManifest } from '../../src/store/manifest';
import { CpuEmbedder } from '../../src/embedding/embedder';
import { itUnless } from '../skips';

const manifest = parseManifest('embedding', campplus, 'campplus-zh-en');

async function openModel(): Promise<Graph> {
  const session = await ort.InferenceSession.create(readFileSync('models/campplus-zh-en/model.onnx'));
  return {
    run: async (input) => {
      const { data, shape } = input as FloatTensor;
      const { [manifest.output.name]: output } = await session.run({ [manifest.input.name]: new ort.Tensor(data, shape) });
      return { data: output!.data as Float32Array, shape: output!.dims };
    },
    release: () => session.release(),
  };
}

/** The sample recording; canonical 16-bit mono at 16 kHz. */
function readSample(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8;
  return Float32Array.from({ length: (file.length - start) / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}


itUnless(NO_SHARED)("every embedding of the sample matches the reference on the reference masks", { timeout: 120_000 }, async () => {
  const arrays = readNpz(join(SHARED, 'reference', 'sample.npz'));
  const { shape, data: masks } = arrays.segmentations!;
  const expected = Float32Array.from(arrays.embeddings!.data);
  const [numWindows, numFrames, numSpeakers] = shape as [number, number, number];
  const windowSamples = 10 * manifest.sampleRate;
  const samples = readSample();
  const embedder = new CpuEmbedder(await openModel(), manifest);

  const similarities: number[] = [];
  for (let window = 0; window < numWindows; window++) {
    const start = window * manifest.sampleRate;
    const size = numFrames * numSpeakers;
    const activity = Uint8Array.from({ length: size }, (_, i) => masks[window * size + i]!);
    const windows = samples.subarray(start, start + windowSamples);
    const { embeddings } = await embedder.embed({ windows, activity, numWindows: 1, numSpeakers });
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      const row = speaker * manifest.embeddingSize;
      const ours = embeddings.subarray(row, row + manifest.embeddingSize);
      const offset = window * embeddings.length + row;
      const theirs = expected.subarray(offset, offset + manifest.embeddingSize);
      expect(ours.some(Number.isNaN)).toBe(theirs.some(Number.isNaN));
      if (!ours.some(Number.isNaN)) similarities.push(cosine(ours, theirs));
    }
  }
  expect(similarities).toHaveLength(41);
  expect(Math.min(...similarities)).toBeGreaterThanOrEqual(0.999);
});
