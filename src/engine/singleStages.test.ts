import { describe, expect, it } from 'vitest';
import { cutWindows } from '../audio/windows';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import { eachBatch } from './singleStages';
import {
  checkPairOfStages,
  checkSamples,
  checkSegmentation,
  type Segmentation,
  type VoiceEmbeddings,
} from './singleStagesEngine';

const GEOMETRY = { windowSamples: 10, hopSamples: 4 };

/** The parts of an engine that {@link eachBatch} reads. */
const engineOf = (batchWindows: number): Engine =>
  ({ segmentationManifest: { sampleRate: 10, ...GEOMETRY }, batchWindows: { current: batchWindows } }) as unknown as Engine;

const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i + 1);

async function* once(samples: Float32Array): AsyncGenerator<Float32Array, void, undefined> {
  yield await Promise.resolve(samples);
}

describe('eachBatch', () => {
  it.each([
    [1, 3, 2],
    [10, 3, 1],
    [11, 1, 4],
    [57, 3, 3],
    [57, 32, 2],
  ])('passes each window of the pipeline once: %i samples, %i at a time, %i lanes', async (length, batchWindows, lanes) => {
    const expected: Float32Array[] = [];
    for await (const { samples } of cutWindows(once(ramp(length)), GEOMETRY)) expected.push(samples);
    const found: Float32Array[] = [];
    await eachBatch(engineOf(batchWindows), ramp(length), lanes, async ({ windows, numWindows, from }) => {
      // Batches end in another order than they start.
      await new Promise((resolve) => setTimeout(resolve, from % 3));
      expect(windows.length).toBe(numWindows * GEOMETRY.windowSamples);
      for (let index = 0; index < numWindows; index++) {
        expect(found[from + index]).toBeUndefined();
        found[from + index] = windows.slice(index * GEOMETRY.windowSamples, (index + 1) * GEOMETRY.windowSamples);
      }
    });
    expect(found).toEqual(expected);
  });

  it('reduces the batch size to fit into memory, and keeps it', async () => {
    const sizes: number[] = [];
    const engine = engineOf(4);
    await eachBatch(engine, ramp(10 + 7 * 4), 1, ({ numWindows, windows }) => {
      sizes.push(numWindows);
      expect(windows.length).toBe(numWindows * GEOMETRY.windowSamples);
      return numWindows > 2 ? Promise.reject(new VoxlaneError({ code: 'gpu-memory', problem: 'full' })) : Promise.resolve();
    });
    expect(sizes).toEqual([4, 2, 2, 2, 2]);
    expect(engine.batchWindows.current).toBe(2);
  });

  it('ends with the first error and starts no other batch', async () => {
    const begun: number[] = [];
    const work = eachBatch(engineOf(1), ramp(400), 2, async ({ from }) => {
      begun.push(from);
      await Promise.resolve();
      if (from === 3) throw new Error('broken');
    });
    await expect(work).rejects.toThrow('broken');
    expect(begun.length).toBeLessThan(8);
  });

  it('reports the position of a sample that is not finite', async () => {
    const samples = ramp(30);
    samples[25] = NaN;
    await expect(eachBatch(engineOf(1), samples, 1, () => Promise.resolve())).rejects.toMatchObject({
      code: 'audio-not-finite',
      problem: expect.stringContaining('2.500 s') as string,
    });
  });
});

const BACKEND = { name: 'wasm', adapter: null, threads: 1, reason: '', selfCheck: null } as const;
const model = { id: 'a', sha256: '1'.repeat(64) };
const SEGMENTATION: Segmentation = {
  axes: ['window', 'frame', 'speaker'],
  shape: [2, 5, 3],
  data: new Uint8Array(30),
  model,
  backend: BACKEND,
  numSamples: 14,
  sampleRate: 10,
  ...GEOMETRY,
  geometry: {
    windows: { durationSeconds: 1, stepSeconds: 0.4 },
    frames: { durationSeconds: 0.2, stepSeconds: 0.2 },
    framesPerWindow: 5,
  },
};
const EMBEDDINGS: VoiceEmbeddings = {
  axes: ['window', 'speaker', 'dimension'],
  shape: [2, 3, 4],
  data: new Float32Array(24),
  preset: 'campplus',
  model: { id: 'b', sha256: '2'.repeat(64) },
  backend: BACKEND,
  segmentationModel: model,
  minCleanFrames: 1,
};

describe('the checks', () => {
  it('accept the results of the stages, also after storage', () => {
    checkSamples(ramp(1));
    checkPairOfStages(SEGMENTATION, EMBEDDINGS);
    checkPairOfStages(structuredClone(SEGMENTATION), structuredClone(EMBEDDINGS));
  });

  it.each<[string, Partial<Segmentation>, Partial<VoiceEmbeddings>, RegExp]>([
    ['values that are missing', { data: new Uint8Array(29) }, {}, /segmentation has .* 29 values/],
    ['an array of another kind', {}, { data: new Uint8Array(24) as unknown as Float32Array }, /embeddings have|embeddings has .*Uint8Array/],
    ['a value that is neither 0 nor 1', { data: new Uint8Array(30).fill(2) }, {}, /has the value 2/],
    ['other axes', { axes: ['frame', 'window', 'speaker'] as unknown as Segmentation['axes'] }, {}, /axes \(frame,window,speaker\)/],
    ['a size that is no number', { shape: [2, 5, NaN] }, {}, /shape \(2,5,NaN\)/],
    ['other windows', { shape: [3, 5, 3], data: new Uint8Array(45) }, {}, /have 2 windows with 3 speakers, the segmentation has 3/],
    ['a geometry of other frames', { shape: [2, 3, 3], data: new Uint8Array(18) }, {}, /3 frames per window, but its geometry has 5/],
    ['a segmentation by another file', { model: { id: 'a', sha256: '3'.repeat(64) } }, {}, /a \(11111111\).*a \(33333333\)/],
  ])('refuse %s', (_what, segmentation, embeddings, found) => {
    const check = (): void => {
      checkPairOfStages({ ...SEGMENTATION, ...segmentation }, { ...EMBEDDINGS, ...embeddings });
    };
    expect(check).toThrow(expect.objectContaining({ code: 'options', remedy: expect.any(String) as string }));
    expect(check).toThrow(found);
  });

  it('reject incomplete data and invalid samples', () => {
    expect(() => { checkSegmentation({} as Segmentation); }).toThrow(expect.objectContaining({ code: 'options' }));
    expect(() => { checkSamples([1] as unknown as Float32Array); }).toThrow(expect.objectContaining({ code: 'options' }));
    expect(() => { checkSamples(new Float32Array(0)); }).toThrow(expect.objectContaining({ code: 'audio-no-samples' }));
  });
});
