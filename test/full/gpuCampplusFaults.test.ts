/**
 * The self-check finds an error in each WGSL kernel of CAM++, with the shipped golden and with whole windows in a batch; and a
 * run reports values that break in the middle of the network for one speaker of a batch. On Dawn in Node.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareTensors } from '../../src/compare/compare';
import { checkEmbedding, checkEmbeddingWindows, embeddingStage, type ModelCheck } from '../../src/compare/modelCheck';
import { CampplusNet } from '../../src/embedding/campplusNet';
import { CpuEmbedder, type EmbedBatch, type Embedder, GpuEmbedder } from '../../src/embedding/embedder';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { parseManifest } from '../../src/store/manifest';
import { installDawn } from '../gpu/dawn';
import { fetchFiles } from '../gpu/openInNode';
import { installPlanter, type PlantedError } from '../gpu/planted';
import { noise } from '../kernels/fixtures/goldens';
import { testedBuilds } from '../nn/builds';
import { describeUnless } from '../skips';

const missing = await installDawn();
const planter = missing === null ? installPlanter() : null!;

const GOLDENS = new URL('../../public/goldens/', import.meta.url).href;
const TIMEOUT_MS = 600_000;
/** Length of a segmentation window, and the smallest batch with a first and a last window. */
const WINDOWS = { windowSamples: 160_000, numWindows: 2 };
const manifest = parseManifest('embedding', JSON.parse(readFileSync('models/campplus-zh-en/manifest.json', 'utf8')), 'campplus-zh-en');
const bytes = new Uint8Array(readFileSync('models/campplus-zh-en/model.onnx'));

type Case = readonly [name: string, error: PlantedError];
const replaced = (kernel: string, find: string, replace = ''): PlantedError => ({ kernel, find, replace });

/** Errors that the golden shows. It is one speaker, whose frames are gathered without a batch. */
const WITH_GOLDEN: readonly Case[] = [
  ['gathered features with their mean', replaced('gather', ' - mean')],
  ['gathered features of other frames', replaced('gather', 'job.used[row] * job.numMelBins', '(job.used[row] / 2u) * job.numMelBins')],
  ['a batch in other columns', replaced('gatherBatch', 'width + params.padding + mel', 'width + params.padding + (mel ^ 1u)')],
  ['a map that is not added', replaced('product', 'result += before;', 'result += 0f;')],
  ['no zeros in gaps', replaced('product', 'result = 0f;', ';')],
  ['the gates of the first segment for all', replaced('product', '(entry - 1u) * params.numColumns + column', 'column')],
  ['inputs without a norm', replaced('product', 'let normalize = hasFlag(NORMALIZE);', 'let normalize = false;')],
  ['inputs with a norm without a ReLU', replaced('product', 'values = max(values, factor.w * values);')],
  ['products without a bias', replaced('product', '+ bias[firstColumn + part * COLUMN_THREADS + own];', ';')],
  ['products without a ReLU', replaced('product', 'result = max(result, params.slope * result);')],
  ['all taps at the first frame', replaced('product', 'tap * params.tapStride', '0u')],
  ['frequencies without a stride', replaced('product', '* params.inputInner', '* min(params.inputInner, 32u)')],
  ['gates without the mean of the segment', replaced('gates', 'sums[(item.z + segment) * vectors + index] / f32(size) + ')],
  ['gates without the mean of all frames', replaced('gates', ' + total / f32(numRows)')],
  ['gates without a ReLU', replaced('gates', 'max(sum, 0f)', 'sum')],
  ['gates without the first bias', replaced('gates', 'sum = first[CHANNELS * INNER + index];', 'sum = 0f;')],
  ['gates that are not between 0 and 1', replaced('gates', '1f / (1f + exp(clamp(-sum, -80f, 80f)))', 'sum')],
  ['means of zero', replaced('channelStats', 'out[place] = mean;', 'out[place] = 0f;')],
  ['deviations from zero', replaced('channelStats', 'params.rowStride] - mean', 'params.rowStride]')],
  ['statistics of half of the rows', replaced('channelStats', 'let numRows = items[item].y;', 'let numRows = items[item].y / 2u;')],
];

/** Errors that only a batch shows: the golden is one window, whose mean is subtracted before. */
const WITH_WINDOWS: readonly Case[] = [
  ['a batch of features with their mean', replaced('gatherBatch', ' - mean;', ';')],
  ['the first window for all speakers', replaced('gatherBatch', 'job.window * params.numFrames', '0u')],
  ['the frames of the first speaker for all', replaced('gatherBatch', 'used[job.firstUsed + row]', 'used[row]')],
  ['gates of the first speaker for all', replaced('gates', 'let item = items[group.x];', 'let item = items[0];')],
  ['statistics of the first speaker for all', replaced('channelStats', 'let begin = items[item].x', 'let begin = items[0].x')],
];

/** What computes a map: a kernel, and the dispatch among those of the kernel. */
type Place = readonly [name: string, kernel: string, dispatch: number];
/** Products of a slice of the head. */
const HEAD_PRODUCTS = 12;
const [FIRST_LAYER, FIRST_TRANSIT, LAST_TRANSIT, LINEAR] = [13, 37, 119, 120];
/** Adds a store of broken values of the second speaker, which has the second half of the rows, after a kernel's own store. */
const SECOND: Readonly<Record<string, (bits: string) => PlantedError>> = {
  product: (bits) => replaced('product', 'out[place] = result;', `out[place] = select(result, ${valueOf('numColumns', bits)}, row >= params.numRows / 2u);`),
  gates: (bits) => {
    const own = '1f / (1f + exp(clamp(-sum, -80f, 80f)))';
    return replaced('gates', own, `select(${own}, ${valueOf('segmentRows', bits)}, group.x == 1u)`);
  },
  gatherBatch: (bits) => replaced('gatherBatch', 'featureAt(job, row, mel) - mean;', `select(featureAt(job, row, mel) - mean, ${valueOf('numMelBins', bits)}, group.y == 1u);`),
  channelStats: (bits) => {
    const own = 'out[place + params.numChannels] = sqrt(squares / f32(numRows - 1u));';
    const value = valueOf('numChannels', bits);
    return replaced('channelStats', own, `${own} if (item == 1u) { out[place] = ${value}; out[place + params.numChannels] = ${value}; }`);
  },
};
/** A value from its bits at run time: WGSL rejects constants that are not finite. */
function valueOf(parameter: string, bits: string): string {
  return `bitcast<f32>((params.${parameter} & 0u) | ${bits})`;
}
const MAPS: readonly Place[] = [
  ['the output of the head', 'product', 11],
  ['the first rows', 'product', 12],
  ['the bottleneck of the first layer', 'product', FIRST_LAYER],
  ['the output of the first layer', 'product', FIRST_LAYER + 1],
  ['the input of the second block', 'product', FIRST_TRANSIT],
  ['the output of the blocks', 'product', LAST_TRANSIT],
  ['the gates of the first layer', 'gates', 0],
  ['the statistics', 'channelStats', 0],
  ['the embedding', 'product', LINEAR],
  ['the gathered features', 'gatherBatch', 0],
];
/** In the head, whose maps exist for one slice at a time. Later values show NaN and infinities of these too. */
const HEAD_MAPS: readonly Place[] = [
  ['the first map of the head', 'product', 0],
  ['a map between two convolutions of the head', 'product', 1],
  ['a shortcut of the head', 'product', 2],
  ['a map to which the head adds a shortcut', 'product', 3],
  ['a map inside of a block without a shortcut', 'product', 4],
  ['a map that the head adds to itself', 'product', 5],
  ['the last map of the head before its output', 'product', 10],
];
const BITS = { zeros: '0u', NaN: '0x7fc00000u', infinities: '0x7f800000u' } as const;
type Values = keyof typeof BITS;
const broken = (values: readonly Values[], maps: readonly Place[]) => maps.flatMap((map) => values.map((value) => [value, ...map] as const));
/** All for zeros, which look plausible; fewer for the others, which spread. */
const BROKEN = [
  ...broken(['zeros'], [...MAPS, ...HEAD_MAPS]),
  ...broken(['NaN'], [...[0, 2, 3, 6].map((map) => MAPS[map]!), HEAD_MAPS[0]!, HEAD_MAPS[5]!]),
  ...broken(['infinities'], [MAPS[3]!]),
];

const failedStages = ({ stages }: ModelCheck): string[] => stages.filter(({ passed }) => !passed).map(({ stage }) => stage);

describeUnless(missing)('CAM++ on WGSL kernels', { timeout: TIMEOUT_MS }, () => {
  let gpu: GpuContext;
  let embedder: GpuEmbedder;
  let reference: Embedder;
  beforeAll(async () => {
    fetchFiles();
    gpu = await openGpu();
    embedder = await GpuEmbedder.create(gpu, await GpuCampplus.open(gpu, bytes, manifest), manifest);
    reference = remembering(new CpuEmbedder(CampplusNet.open(bytes, manifest, testedBuilds()[0]), manifest));
  }, TIMEOUT_MS);

  const checkGolden = (error: PlantedError | null): Promise<ModelCheck> => {
    planter.plant(error);
    return checkEmbedding(embedder, { manifest, backend: 'webgpu' }, GOLDENS);
  };
  /** Without the whole window that a check embeds by itself: the golden is one, too. */
  const checkBatch = (error: PlantedError | null, only?: number): Promise<ModelCheck> => {
    planter.plant(error, only);
    const batchOnly: Embedder = { ...reference, embed: (batch) => embedder.embed(batch) };
    return checkEmbeddingWindows(reference, batchOnly, manifest, WINDOWS);
  };

  test('passes the self-check without an error', async () => {
    expect(failedStages(await checkGolden(null))).toEqual([]);
    expect(failedStages(await checkBatch(null))).toEqual([]);
  });

  test.each(WITH_GOLDEN)('the golden shows %s', async (_, error) => {
    expect(failedStages(await checkGolden(error))).not.toEqual([]);
  });

  test('the golden passes again without an error', async () => {
    expect(failedStages(await checkGolden(null))).toEqual([]);
  });

  describe('with two speakers in a batch', () => {
    const numSamples = 4000;
    const batchOf = (windows: Float32Array): EmbedBatch => ({ windows, activity: new Uint8Array(2 * 15).fill(1), numWindows: 2, numSpeakers: 1 });
    const batch = batchOf(noise(2 * numSamples, 1));

    test('returns the same embeddings as WASM, also for silence and a constant', async () => {
      planter.plant(null);
      for (const own of [batch, batchOf(Float32Array.from({ length: 2 * numSamples }, (_, i) => (i < numSamples ? 0 : 0.3)))]) {
        const { embeddings } = await embedder.embed(own);
        const expected = embeddingStage('embedding', (await reference.embed(own)).embeddings);
        expect(compareTensors(embeddings, expected.data, expected)).toMatchObject({ nanCount: 0, infCount: 0 });
        expect(compareTensors(embeddings, expected.data, expected).cosine).toBeGreaterThan(expected.tolerance.cosine);
      }
      expect(planter.dispatched.filter((label) => label === 'product')).toHaveLength(LINEAR + 1);
    });

    test.each(BROKEN)('%s in %s of the second: gpu-wrong', async (values, _, kernel, dispatch) => {
      planter.plant(SECOND[kernel]!(BITS[values]), dispatch);
      await expect(embedder.embed(batch)).rejects.toMatchObject({ code: 'gpu-wrong' });
    });
  });

  test.each(WITH_WINDOWS)('a batch of whole windows shows %s', async (_, error) => {
    expect(failedStages(await checkBatch(error))).toEqual(['embedding (2 × 10 s)']);
  });

  test('a batch of whole windows shows an error in the slices after the first only', async () => {
    // The second convolution of the second block, in the second slice.
    const only = HEAD_PRODUCTS + 5;
    const error = replaced('product', '+ bias[firstColumn + part * COLUMN_THREADS + own];', ';');
    expect(failedStages(await checkBatch(error, only))).toEqual(['embedding (2 × 10 s)']);
    expect(planter.dispatched.filter((label) => label === 'product')).toHaveLength(LINEAR + 1 + HEAD_PRODUCTS);
  });

  test('a batch passes again without an error', async () => {
    expect(failedStages(await checkBatch(null))).toEqual([]);
  });
});

/** Computes each reference once: all checks have the same windows. */
function remembering(embedder: Embedder): Embedder {
  let segment: Promise<[Float32Array, Float32Array]> | undefined;
  /** By a sum over the samples. */
  const batches = new Map<number, ReturnType<Embedder['embed']>>();
  return {
    embed: (batch) => {
      const key = batch.windows.reduce((sum, sample, i) => sum + sample * ((i % 977) + 1), 0);
      const known = batches.get(key) ?? embedder.embed(batch);
      batches.set(key, known);
      return known;
    },
    embedSegment: async (samples, onFeatures) => {
      segment ??= new Promise((resolve, reject) => {
        let features: Float32Array;
        embedder.embedSegment(samples, (found) => { features = found; }).then((embedding) => { resolve([features, embedding]); }, reject);
      });
      const [features, embedding] = await segment;
      onFeatures(features);
      return embedding;
    },
    close: () => embedder.close(),
  };
}
