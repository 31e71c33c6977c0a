/**
 * The self-check finds an error in each WGSL kernel of segmentation-3.0, with the shipped golden, and of the pooling; and a run
 * reports values that break in the middle of the network. On Dawn in Node.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { poolOnCpu, poolOnGpu } from '../../src/compare/kernelRunner';
import { checkSegmentation, embeddingStage, selfCheck, type ModelCheck } from '../../src/compare/modelCheck';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { parseManifest } from '../../src/store/manifest';
import { installDawn } from '../gpu/dawn';
import { fetchFiles } from '../gpu/openInNode';
import { installPlanter, type PlantedError } from '../gpu/planted';
import { noise } from '../kernels/fixtures/goldens';
import { describeUnless } from '../skips';

const missing = await installDawn();
const planter = missing === null ? installPlanter() : null!;

const GOLDENS = new URL('../../public/goldens/', import.meta.url).href;
const TIMEOUT_MS = 600_000;
const manifestOf = (id: string): unknown => JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8'));
const bytesOf = (id: string): Uint8Array => new Uint8Array(readFileSync(`models/${id}/model.onnx`));

/** Name and error. */
type Case = readonly [name: string, error: PlantedError];
const BIAS = '+ bias[firstColumn + part * COLUMN_THREADS + own];';

const SEGMENTATION: readonly Case[] = [
  ['scores without a bias', { kernel: 'scores', find: 'var sum = bias[own];', replace: 'var sum = 0f;' }],
  ['scores that are not normalized', { kernel: 'scores', find: ' - log(total)', replace: '' }],
  ['linear layers without a bias', { kernel: 'product', find: BIAS, replace: ';' }],
  ['linear layers without a ReLU', { kernel: 'product', find: 'result = max(result, params.slope * result);', replace: '' }],
  ['swapped gates', { kernel: 'lstm', find: 'iof.z * cell + iof.x', replace: 'iof.x * cell + iof.z' }],
  ['one direction of the LSTM reversed', { kernel: 'lstm', find: 'direction == 1u', replace: 'false' }],
  ['a norm with a wrong mean', { kernel: 'channelStats', find: 'let mean = first + ', replace: 'let mean = ' }],
  ['a maximum of two rows instead of three', { kernel: 'product', find: 'max(max(x, y), z)', replace: 'max(x, y)' }],
  ['a maximum of values instead of magnitudes', { kernel: 'product', find: 'max(greatest, -min(min(x, y), z))', replace: 'greatest' }],
];

const POOLING: readonly Case[] = [
  ['deviations from zero', { kernel: 'statsPool', find: 'map[first + frame * params.frameStride] - mean', replace: 'map[first + frame * params.frameStride]' }],
  ['a layer without an offset', { kernel: 'statsLinear', find: 'offset[dimension] + sums[0]', replace: 'sums[0]' }],
];

/** A value for the second window, from its bits at run time: WGSL rejects constants that are not finite. */
const brokenValue = (isSecond: string, bits: string): string => `select(result, bitcast<f32>((params.numColumns & 0u) | ${bits}), ${isSecond})`;
const SECOND_ITEM = 'item == 1u';
const SECOND_ROWS = 'row >= params.numRows / 2u';

const NAN = '0x7fc00000u';
const INFINITY = '0x7f800000u';
const NEGATIVE_INFINITY = '0xff800000u';

/** Zeros for the second window: plausible scores without the check of maps. The output of a kernel, and its dispatch. */
const LAST_WINDOW = 'window == 1u';
const ZEROS: readonly (readonly [name: string, error: PlantedError, only: number])[] = [
  ...[0, 1, 2].map((filter) => [`the map of filter ${filter + 1}`, { kernel: 'product', find: 'out[place] = result;', replace: `out[place] = select(result, 0f, ${SECOND_ITEM});` }, filter] as const),
  ...[1, 2, 3].map((norm) => [`the factors of norm ${norm}`, { kernel: 'channelStats', find: 'if (FACTORS) {', replace: `if (FACTORS && item == 1u) {
    let zeros = 4u * (item * params.numChannels + channel);
    for (var i = 0u; i < 4u; i++) { out[zeros + i] = 0f; }
  } else if (FACTORS) {` }, norm] as const),
  ...[0, 1, 2, 3].map((layer) => [`the output of LSTM ${layer + 1}`, { kernel: 'lstm', find: 'out[row] = state;', replace: `out[row] = select(state, 0f, ${LAST_WINDOW});` }, layer] as const),
  ['one direction of the first LSTM', { kernel: 'lstm', find: 'out[row] = state;', replace: `out[row] = select(state, 0f, ${LAST_WINDOW} && direction == 1u);` }, 0],
  ...[7, 8].map((linear) => [`the output of linear layer ${linear - 6}`, { kernel: 'product', find: 'out[place] = result;', replace: `out[place] = select(result, 0f, ${SECOND_ROWS});` }, linear] as const),
];

/** Values that break during a run: the dispatch among those of the kernel, the part of its output, and the bits. */
const BROKEN: readonly (readonly [name: string, only: number, isSecond: string, bits: string])[] = [
  ['the last linear layer is infinite', 8, SECOND_ROWS, NEGATIVE_INFINITY],
  ['the inputs of the last LSTM are NaN', 6, SECOND_ROWS, NAN],
  ['the inputs of the last LSTM are infinite', 6, SECOND_ROWS, INFINITY],
  ['the first map of the filters is NaN', 0, SECOND_ITEM, NAN],
];

const failedStages = ({ stages }: ModelCheck): string[] => stages.filter(({ passed }) => !passed).map(({ stage }) => stage);

describeUnless(missing)('the self-check of a GPU', { timeout: TIMEOUT_MS }, () => {
  let gpu: GpuContext;
  beforeAll(async () => {
    fetchFiles();
    gpu = await openGpu();
  });

  describe('segmentation-3.0', () => {
    const manifest = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
    let net: GpuPyannet;
    const check = (error: PlantedError | null): Promise<ModelCheck> => {
      planter.plant(error);
      return checkSegmentation(net, { manifest, backend: 'webgpu' }, GOLDENS);
    };
    beforeAll(async () => {
      net = await GpuPyannet.open(gpu, bytesOf(manifest.id), manifest);
    }, TIMEOUT_MS);

    test('passes without an error', async () => {
      expect(failedStages(await check(null))).toEqual([]);
      expect(planter.dispatched).toHaveLength(31);
    });

    test.each(SEGMENTATION)('finds %s', async (_, error) => {
      expect(failedStages(await check(error))).toEqual([expect.stringMatching(/^classifier/)]);
    });

    test('passes again without an error', async () => {
      expect(failedStages(await check(null))).toEqual([]);
    });

    /** Two windows, of which the second breaks. */
    const numSamples = 1300;
    const input = { data: noise(2 * numSamples, 1), shape: [2, 1, numSamples] };

    test('returns finite scores of a batch', async () => {
      planter.plant(null);
      expect((await net.run(input)).data.every(Number.isFinite)).toBe(true);
    });

    test.each(BROKEN)('%s: gpu-wrong', async (_, only, isSecond, bits) => {
      planter.plant({ kernel: 'product', find: 'out[place] = result;', replace: `out[place] = ${brokenValue(isSecond, bits)};` }, only);
      await expect(net.run(input)).rejects.toMatchObject({ code: 'gpu-wrong' });
    });

    test.each(ZEROS)('zeros in %s: gpu-wrong', async (_, error, only) => {
      planter.plant(error, only);
      await expect(net.run(input)).rejects.toMatchObject({ code: 'gpu-wrong' });
    });

    test('the scores are zeros: gpu-wrong', async () => {
      planter.plant({ kernel: 'scores', find: 'sum - greatest - log(total)', replace: `select(sum - greatest - log(total), 0f, ${SECOND_ROWS})` });
      await expect(net.run(input)).rejects.toMatchObject({ code: 'gpu-wrong' });
    });
  });

  test.each(POOLING)('of ResNet34 finds %s', async (_, error) => {
    const [numChannels, numFrames, embeddingSize] = [9, 17, 4];
    const head = { weight: noise(embeddingSize * 2 * numChannels, 1), bias: noise(embeddingSize, 2), meanVector: null, embeddingSize, numChannels };
    const map = { data: noise(numChannels * numFrames, 3).map((value) => value + 0.5), numFrames };
    const expected = await poolOnCpu(head)(map);
    const check = async (planted: PlantedError | null): Promise<ModelCheck> => {
      planter.plant(planted);
      const { embeddings } = await (await poolOnGpu(gpu.device, head))(map);
      const run: Parameters<typeof selfCheck>[2] = (compare) => {
        compare('embedding', embeddings);
        return Promise.resolve();
      };
      return selfCheck({ model: 'resnet34', backend: 'webgpu' }, 1, run, { stages: [embeddingStage('embedding', expected.embeddings)] });
    };
    expect(failedStages(await check(null))).toEqual([]);
    expect(failedStages(await check(error))).toEqual(['embedding']);
  });
});
