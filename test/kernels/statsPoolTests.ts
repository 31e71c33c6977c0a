/**
 * Shared tests for both pooling implementations: Vitest runs them with the CPU version, Playwright with the GPU version in a
 * browser. Goldens and comparisons stay in Node; only maps, weights and results are transferred.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESNET34_FIXTURES, seededResnet34 } from '../seededModel';
import { readBundle, tensorNamed } from '../../src/compare/files/bundle';
import { noise } from './fixtures/goldens';
import { parseOnnx } from '../../src/onnx/model';
import { splitAtPooling, type PooledHead } from '../../src/onnx/pooled';
import { frameWeights, type FrameMap } from '../../src/embedding/statsPool';

/** Pooled results of a map: axes (mask, statistic) and (mask, dimension). */
export interface Pooled {
  readonly statistics: ArrayLike<number>;
  readonly embeddings: ArrayLike<number>;
}

export type Pool = (map: FrameMap, weights: readonly Float32Array[], head: PooledHead) => Promise<Pooled>;

/** Float32 sums of some hundred terms of order 1, compared with float64 and with PyTorch's float32. */
const STATISTICS_ROUNDING = 1e-5;
/** Sums of 5120 products of order 0.01. */
const EMBEDDING_ROUNDING = 2e-5;

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number, what: string): void {
  assert.equal(actual.length, expected.length, `number of ${what}`);
  let greatest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // NaN compares false with everything and must not pass.
    greatest = Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
  }
  assert.ok(greatest <= bound, `${what} differ by ${greatest}`);
}

/** A head that passes the statistics through: the embedding is the statistics plus `bias` minus `meanVector`. */
function identity(numChannels: number, bias = 0, meanVector: number | null = null): PooledHead {
  const size = 2 * numChannels;
  const filled = (value: number): Float32Array => new Float32Array(size).fill(value);
  return {
    weight: Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
    bias: filled(bias),
    meanVector: meanVector === null ? null : filled(meanVector),
    embeddingSize: size,
    numChannels,
  };
}

/** Map of one second from the seeded network, its masks, and pyannote's results. */
interface Goldens extends Pooled {
  readonly map: FrameMap;
  readonly weights: readonly Float32Array[];
  readonly head: PooledHead;
}

function readGoldens(): Goldens {
  const { inputs, stages } = readBundle(readFileSync(join(RESNET34_FIXTURES, 'one_second.zip')));
  const { data, shape } = tensorNamed(stages, 'layer4');
  const numFrames = shape.at(-1)!;
  const masks = tensorNamed(inputs, 'masks');
  const [numMasks = 0, maskFrames = 0] = masks.shape;
  return {
    map: { data, numFrames },
    weights: Array.from({ length: numMasks }, (_, mask) =>
      frameWeights(Uint8Array.from(masks.data.subarray(mask * maskFrames, (mask + 1) * maskFrames)), numFrames),
    ),
    head: splitAtPooling(parseOnnx(seededResnet34('pyannote'), 'pyannote')).head,
    statistics: tensorNamed(stages, 'masked_pooling').data,
    embeddings: tensorNamed(stages, 'masked_embedding').data,
  };
}

/** Reference for one mask and channel, computed from the sums of values and squares. */
function byDefinition(values: Float32Array, weights: Float32Array): { mean: number; deviation: number } {
  let [v1, v2, sum, squares] = [0, 0, 0, 0];
  weights.forEach((weight, frame) => {
    v1 += weight;
    v2 += weight * weight;
    sum += weight * values[frame]!;
    squares += weight * values[frame]! ** 2;
  });
  const mean = sum / v1;
  return { mean, deviation: Math.sqrt((squares - v1 * mean * mean) / (v1 - v2 / v1)) };
}

/**
 * Registers the tests.
 *
 * @param test test function of the runner
 * @param pool implementation under test
 */
export function statsPoolTests(test: (title: string, body: () => Promise<void>) => void, pool: Pool): void {
  test('pooling computes mean and unbiased deviation of the masked frames', async () => {
    const map = { data: Float32Array.of(1, 2, 3, 100, 10, -1, 10, 100), numFrames: 4 };
    const weights = [Float32Array.of(1, 0, 1, 0), Float32Array.of(0, 1, 0, 0)];
    const { statistics, embeddings } = await pool(map, weights, identity(2, 5, 3));
    const expected = [2, 10, Math.SQRT2, 0, 2, -1, 0, 0];
    assertClose(statistics, expected, 1e-6, 'statistics');
    // The bias is added, the mean vector subtracted.
    assertClose(embeddings, expected.map((value) => value + 2), 1e-6, 'embeddings');
  });

  test('pooling with fractional weights and partially filled workgroups matches the definition', async () => {
    for (const [numChannels, numFrames] of [[1, 2], [7, 15], [9, 17], [37, 125]] as const) {
      const data = noise(numChannels * numFrames, 3).map((value, i) => 2 * value + (i % 3));
      const weights = [1, 2].map((seed) => noise(numFrames, seed).map((value) => value + 0.6));
      const expected = weights.flatMap((own) => {
        const rows = Array.from({ length: numChannels }, (_, channel) =>
          byDefinition(data.subarray(channel * numFrames, (channel + 1) * numFrames), own),
        );
        return [...rows.map(({ mean }) => mean), ...rows.map(({ deviation }) => deviation)];
      });
      const { statistics, embeddings } = await pool({ data, numFrames }, weights, identity(numChannels));
      assertClose(statistics, expected, STATISTICS_ROUNDING, `statistics of ${numChannels} channels and ${numFrames} frames`);
      assertClose(embeddings, expected, STATISTICS_ROUNDING, `embeddings of ${numChannels} channels`);
    }
  });

  test('an empty mask yields NaN and does not affect the others', async () => {
    const map = { data: noise(3 * 20, 5), numFrames: 20 };
    const full = new Float32Array(20).fill(1);
    const alone = await pool(map, [full], identity(3));
    const both = await pool(map, [new Float32Array(20), full], identity(3));
    for (const values of [both.statistics, both.embeddings].map((part) => Array.from(part))) {
      assert.deepEqual(values.slice(0, 6), Array<number>(6).fill(NaN));
    }
    assert.deepEqual(Array.from(both.embeddings).slice(6), Array.from(alone.embeddings));
  });

  test('pooling three masks of a ResNet at once matches three runs and pyannote', async () => {
    const { map, weights, head, ...expected } = readGoldens();
    assert.equal(weights.length, 3);
    const { statistics, embeddings } = await pool(map, weights, head);
    const alone: Pooled[] = [];
    for (const own of weights) alone.push(await pool(map, [own], head));
    const separate = alone.flatMap((one) => Array.from(one.embeddings));
    assertClose(embeddings, separate, STATISTICS_ROUNDING, 'embeddings at once and by themselves');
    assertClose(statistics, expected.statistics, STATISTICS_ROUNDING, "statistics and pyannote's");
    assertClose(embeddings, expected.embeddings, EMBEDDING_ROUNDING, "embeddings and pyannote's");
  });
}
