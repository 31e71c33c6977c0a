/**
 * ResNet34 with seeded weights on our own WGSL kernels: stages and embeddings against PyTorch, batches against single windows, whole windows
 * against WASM by the self-check, dispatches and buffers, and faults. On Dawn in Node.
 */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { openGpuKernels } from '../../src/compare/kernelRunner';
import { checkEmbeddingWindows, type ModelCheck } from '../../src/compare/modelCheck';
import type { EmbedBatch, Embedder } from '../../src/embedding/embedder';
import { GpuPooling } from '../../src/embedding/gpuPooling';
import { GpuResnet } from '../../src/embedding/gpuResnet';
import { maskedFeatures } from '../../src/embedding/mask';
import { openPooledEmbedder, PooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { Fbank } from '../../src/features/fbank';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import { resnetLayers, splitAtPooling } from '../../src/onnx/pooled';
import { concatenate } from '../../src/util/values';
import { installGpuFault } from '../browser/gpuFaults';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';
import { fetchFiles } from '../gpu/openInNode';
import { installPlanter, type PlantedError } from '../gpu/planted';
import { noise } from '../kernels/fixtures/goldens';
import { greatestDifference } from '../kernels/greatestDifference';
import { compareStages, figuresText, MAX_RELATIVE, MIN_COSINE, readResnetGoldens, RESNET34 } from '../resnetGoldens';
import { seededResnet34 } from '../seededModel';
import { describeUnless } from '../skips';

const missing = await installDawn();
const planter = missing === null ? installPlanter() : null!;
const setFault = missing === null ? installGpuFault(null) : () => undefined;

const TIMEOUT_MS = 600_000;
/** 36 convolutions with a check of each map, gathering, pooling and last layer, checks of features and statistics, marking. */
const DISPATCHES = 78;
const EVERYTHING = Uint8Array.of(1);
/** Samples of a window in batches of noise. */
const NUM_SAMPLES = 4000;
const MASK_FRAMES = 20;
const NUM_SPEAKERS = 2;

/** Different windows with two speakers, of whom the second is silent in every third window. */
function batchOf(numWindows: number, first = 0): EmbedBatch {
  const windows = concatenate(Array.from({ length: numWindows }, (_, window) => noise(NUM_SAMPLES, 10 + first + window)));
  const activity = Uint8Array.from({ length: numWindows * MASK_FRAMES * NUM_SPEAKERS }, (_, i) => {
    const frame = Math.floor(i / NUM_SPEAKERS) % MASK_FRAMES;
    const window = first + Math.floor(i / NUM_SPEAKERS / MASK_FRAMES);
    return i % NUM_SPEAKERS === 0 ? Number(frame < 10 + (window % 4)) : Number(frame >= 6 && window % 3 !== 2);
  });
  return { windows, activity, numWindows, numSpeakers: NUM_SPEAKERS };
}

const replaced = (kernel: string, find: string, replace = ''): PlantedError => ({ kernel, find, replace });
/** A value from its bits at run time: WGSL rejects constants that are not finite. */
const valueOf = (parameter: string, bits: string): string => `bitcast<f32>((params.${parameter} & 0u) | ${bits})`;
const BITS = { zeros: '0u', NaN: '0x7fc00000u', infinities: '0x7f800000u' } as const;
/** Breaks the map of the last window of a batch. */
const lastWindow = (bits: string): PlantedError =>
  replaced('product', 'out[place] = result;', `out[place] = select(result, ${valueOf('numColumns', bits)}, item == 1u);`);

/** Products of the network: the stem, then blocks of two or, with a shortcut, three. */
const PRODUCTS = [['the stem', 0], ['a map within the first block', 1], ['the end of the first block', 2], ['a shortcut', 8], ['the end of a block with a shortcut', 9], ['the last map', 35]] as const;
const BROKEN = [
  ...PRODUCTS.map(([name, only]) => ['zeros', name, lastWindow(BITS.zeros), only] as const),
  ...[PRODUCTS[1], PRODUCTS[5]].map(([name, only]) => ['NaN', name, lastWindow(BITS.NaN), only] as const),
  ['infinities', PRODUCTS[4][0], lastWindow(BITS.infinities), PRODUCTS[4][1]] as const,
  ['zeros', 'the gathered features', replaced('gatherBatch', 'featureAt(job, row, mel) - mean;', 'select(featureAt(job, row, mel) - mean, 0f, group.y == 1u);'), 0] as const,
  ['zeros', 'the statistics', replaced('statsPool', 'statistics[row + channel] = mean;', 'statistics[row + channel] = select(mean, 0f, group.y == 1u);'), 0] as const,
];

/** Errors of the arithmetic, in the kernels of a batch. */
const WRONG: readonly (readonly [name: string, error: PlantedError])[] = [
  ['convolutions without a bias', replaced('product', '+ bias[firstColumn + part * COLUMN_THREADS + own];', ';')],
  ['convolutions without a ReLU', replaced('product', 'result = max(result, params.slope * result);')],
  ['a map that is not added', replaced('product', 'result += before;', 'result += 0f;')],
  ['the first window for all', replaced('product', 'item * params.inputItem', '0u')],
  ['the second window for all later ones', replaced('product', 'item * params.inputItem', 'min(item, 1u) * params.inputItem')],
  ['features with their mean', replaced('gatherBatch', ' - mean;', ';')],
  ['features of the first window for all', replaced('gatherBatch', 'job.window * params.numFrames', '0u')],
  ['statistics of the first window for all', replaced('statsPool', 'u32(masks[header + 2u])', '0u')],
  ['statistics of other channels', replaced('statsPool', '(channel - outer * params.inner) * params.innerStride', '0u')],
  ['deviations from zero', replaced('statsPool', 'params.frameStride] - mean', 'params.frameStride]')],
  ['a last layer without an offset', replaced('statsLinear', 'offset[dimension] + sums[0]', 'sums[0]')],
];

const failedStages = ({ stages }: ModelCheck): string[] => stages.filter(({ passed }) => !passed).map(({ stage }) => stage);

describeUnless(missing)('ResNet34 on WGSL kernels', { timeout: TIMEOUT_MS }, () => {
  const network = splitAtPooling(parseOnnx(seededResnet34('pyannote'), 'pyannote'));
  let gpu: GpuContext;
  let resnet: GpuResnet;
  let embedder: PooledEmbedder;
  beforeAll(async () => {
    fetchFiles();
    gpu = await openGpu();
    resnet = await GpuResnet.open(gpu, network, RESNET34.fbank);
    embedder = new PooledEmbedder(await GpuPooling.create(gpu, resnet, RESNET34), RESNET34);
  }, TIMEOUT_MS);

  test.each(['one_second', 'ten_seconds'] as const)('matches PyTorch in every stage of %s, and for each local speaker', async (name) => {
    planter.plant(null);
    const goldens = readResnetGoldens(name);
    const raw = new Fbank(RESNET34.fbank, RESNET34.sampleRate).compute(goldens.window);
    const data = maskedFeatures(raw, EVERYTHING, RESNET34.fbank.subtractMean);
    const names = new Map([...Array.from(resnetLayers(network), ([layer, value]) => [value, layer] as const), [network.statistics, 'pooling']]);
    const stages = new Map<string, Float32Array>();
    const output = await resnet.trace({ data, shape: [1, raw.numFrames, raw.numMelBins] }, (value, tensor) => {
      stages.set(names.get(value)!, tensor.data);
      return undefined;
    });
    stages.set('embedding', output.data);
    expect(['fbank', ...stages.keys()]).toEqual(RESNET34.stages.map(({ name: stage }) => stage));
    for (const figures of compareStages(stages, goldens)) {
      console.log(`${name}, our own kernels, ${figuresText(figures)}`);
      expect(figures.cosine, figures.stage).toBeGreaterThanOrEqual(MIN_COSINE);
      expect(figures.relative, figures.stage).toBeLessThanOrEqual(MAX_RELATIVE);
    }
    const { window, activity, numSpeakers, embeddings: expected } = goldens;
    const { embeddings } = await embedder.embed({ windows: window, activity, numWindows: 1, numSpeakers });
    // Components are of order 1.
    expect(greatestDifference(embeddings, expected)).toBeLessThanOrEqual(MAX_RELATIVE);
  });

  test('a comparison computes all stages on these kernels, and nothing on the runtime', async () => {
    planter.plant(null);
    const goldens = readResnetGoldens('one_second');
    const raw = new Fbank(RESNET34.fbank, RESNET34.sampleRate).compute(goldens.window);
    const data = maskedFeatures(raw, EVERYTHING, RESNET34.fbank.subtractMean);
    const unused = () => Promise.reject(new Error('the runtime was used'));
    const runtime = { info: graphInfo(network.backbone), inputsOf: () => [], values: unused, release: () => Promise.resolve() };
    const runner = await openGpuKernels(parseOnnx(seededResnet34('pyannote'), 'pyannote'), RESNET34, runtime, gpu);
    const names = new Map([...resnetLayers(network), ['pooling', network.statistics], ['embedding', network.embedding]]);
    const found = await runner.values(new Map([[network.input, { data, shape: [1, raw.numFrames, raw.numMelBins] }]]), [...names.values()]);
    for (const figures of compareStages(new Map(Array.from(names, ([stage, value]) => [stage, found.get(value)!.data])), goldens)) {
      expect(figures.cosine, figures.stage).toBeGreaterThanOrEqual(MIN_COSINE);
      expect(figures.relative, figures.stage).toBeLessThanOrEqual(MAX_RELATIVE);
    }
    await runner.release();
  });

  test('a replaced value of a trace changes the later ones', async () => {
    const [numFrames, numMelBins] = [40, RESNET34.fbank.numMelBins];
    const input = { data: noise(numFrames * numMelBins, 3), shape: [1, numFrames, numMelBins] };
    const values: { name: string; shape: readonly number[] }[] = [];
    const plain = await resnet.trace(input, (name, { shape }) => void values.push({ name, shape }));
    expect([...values.map(({ name }) => name), network.embedding]).toEqual(resnet.valueNames);
    expect(values.map(({ shape }) => shape.join())).toEqual(['1,32,80,40', '1,32,80,40', '1,64,40,20', '1,128,20,10', '1,256,10,5', '1,5120']);
    for (const { name } of values) {
      const doubled = await resnet.trace(input, (own, { data, shape }) => (own === name ? { data: data.map((value) => 2 * value), shape } : undefined));
      expect(greatestDifference(doubled.data, plain.data), name).toBeGreaterThan(0.01);
      const same = await resnet.trace(input, (own, tensor) => (own === name ? tensor : undefined));
      expect(same.data, name).toEqual(plain.data);
    }
  });

  test('a batch has the embeddings of its windows alone, in 78 dispatches, and allocates nothing after the first', async () => {
    planter.plant(null);
    // Silent windows are no part of a batch.
    const silent = batchOf(1);
    expect((await embedder.embed({ ...silent, activity: silent.activity.map(() => 0) })).embeddings.every(Number.isNaN)).toBe(true);
    const whole = (await embedder.embed(batchOf(5))).embeddings;
    expect(planter.dispatched).toHaveLength(DISPATCHES);
    expect(resnet.numDispatches).toBe(DISPATCHES);
    const created = vi.spyOn(GPUDevice.prototype, 'createBuffer');
    const cells = NUM_SPEAKERS * RESNET34.embeddingSize;
    try {
      // The last batch of a recording is smaller.
      for (const [first, numWindows] of [[0, 5], [3, 2], [4, 1], [0, 1]] as const) {
        const { embeddings } = await embedder.embed(batchOf(numWindows, first));
        expect(embeddings, `${numWindows} windows`).toEqual(whole.slice(first * cells, (first + numWindows) * cells));
        expect(planter.dispatched).toHaveLength(DISPATCHES);
      }
      // The filterbank keeps its parameters for each number of windows, of which one is new.
      expect(created.mock.calls.map(([{ label }]) => label)).toEqual(['fbank params']);
    } finally {
      created.mockRestore();
    }
    const isVoice = (row: number): boolean => row % NUM_SPEAKERS === 0 || Math.floor(row / NUM_SPEAKERS) % 3 !== 2;
    for (let row = 0; row < 5 * NUM_SPEAKERS; row++) expect(Number.isNaN(whole[row * RESNET34.embeddingSize]), `row ${row}`).toBe(!isVoice(row));
  });

  test('windows beyond the limit of memory are divided, with the same embeddings', async () => {
    const whole = (await embedder.embed(batchOf(5))).embeddings;
    const limited = vi.spyOn(resnet, 'maxWindows').mockReturnValue(2);
    const ran = vi.spyOn(resnet, 'embed');
    try {
      expect((await embedder.embed(batchOf(5))).embeddings).toEqual(whole);
      expect(ran.mock.calls.map(([, jobs]) => jobs.length)).toEqual([1, 2, 2]);
    } finally {
      limited.mockRestore();
      ran.mockRestore();
    }
    // 256 MiB of maps: six windows of 10 s, and at least one of any length.
    expect([998, 100_000].map((numFrames) => resnet.maxWindows(numFrames))).toEqual([6, 1]);
  });

  describe('the self-check', () => {
    let reference: Embedder;
    const sizes = { windowSamples: 6000, numWindows: 3 };
    const check = (error: PlantedError | null): Promise<ModelCheck> => {
      planter.plant(error);
      return checkEmbeddingWindows(reference, embedder, RESNET34, sizes);
    };
    beforeAll(async () => {
      const options = { runtimeBase: RUNTIME_BASE, threads: 1, gpu: null };
      reference = remembering(await openPooledEmbedder(seededResnet34('pyannote'), RESNET34, options));
    }, TIMEOUT_MS);

    test('passes at the length of a window of a run, in a batch of two', async () => {
      planter.plant(null);
      const wholeWindows = await checkEmbeddingWindows(reference, embedder, RESNET34, { windowSamples: 160_000, numWindows: 2 });
      for (const { stage, cosine, maxAbs } of wholeWindows.stages) console.log(`${stage}: max |Δ| ${maxAbs.toExponential(1)}, 1 - cosine ${(1 - cosine).toExponential(1)}`);
      expect(failedStages(wholeWindows)).toEqual([]);
    });

    test('passes with shorter windows', async () => {
      expect(failedStages(await check(null))).toEqual([]);
    });

    test.each(WRONG)('finds %s', async (_, error) => {
      expect(failedStages(await check(error))).not.toEqual([]);
    });
  });

  describe('a run', () => {
    test.each(BROKEN)('with %s in %s of the second window: gpu-wrong', async (_values, _name, error, only) => {
      planter.plant(error, only);
      await expect(embedder.embed(batchOf(2))).rejects.toMatchObject({ code: 'gpu-wrong' });
    });

    test.each([['zeros', 'gpu-wrong'], ['nan', 'gpu-wrong'], ['memory', 'gpu-memory']] as const)('with results of %s: %s', async (kind, code) => {
      planter.plant(null);
      setFault({ stage: 'embedding', kind });
      await expect(embedder.embed(batchOf(2)).finally(() => { setFault(null); })).rejects.toMatchObject({ code });
    });

    test('works again after the faults, also with silence and a constant', async () => {
      planter.plant(null);
      const { activity } = batchOf(2);
      const windows = Float32Array.from({ length: 2 * NUM_SAMPLES }, (_, i) => (i < NUM_SAMPLES ? 0 : 0.3));
      const { embeddings } = await embedder.embed({ ...batchOf(2), windows, activity: activity.fill(1) });
      expect(embeddings.every(Number.isFinite)).toBe(true);
    });

    // Last, because the device is not recreated.
    test('with a lost device: gpu-lost', async () => {
      setFault({ stage: 'embedding', kind: 'lost' });
      await expect(embedder.embed(batchOf(2)).finally(() => { setFault(null); })).rejects.toMatchObject({ code: 'gpu-lost' });
    });
  });
});

/** Computes each reference once: the checks repeat their windows. */
function remembering(embedder: Embedder): Embedder {
  const batches = new Map<string, ReturnType<Embedder['embed']>>();
  const segments = new Map<string, Promise<{ features: Float32Array; embedding: Float32Array }>>();
  const keyOf = (samples: Float32Array): string => `${samples.length} ${samples.reduce((sum, sample, i) => sum + sample * ((i % 977) + 1), 0)}`;
  return {
    embed: (batch) => {
      const key = `${keyOf(batch.windows)} ${batch.activity.indexOf(1)}`;
      const known = batches.get(key) ?? embedder.embed(batch);
      batches.set(key, known);
      return known;
    },
    embedSegment: async (samples, onFeatures) => {
      const compute = async (): Promise<{ features: Float32Array; embedding: Float32Array }> => {
        let features = new Float32Array(0);
        const embedding = await embedder.embedSegment(samples, (found) => { features = Float32Array.from(found); });
        return { features, embedding };
      };
      const known = segments.get(keyOf(samples)) ?? compute();
      segments.set(keyOf(samples), known);
      const { features, embedding } = await known;
      onFeatures(features);
      return embedding;
    },
    close: () => embedder.close(),
  };
}
