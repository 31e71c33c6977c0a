/** Shared tests of the GPU kernels against goldens and the CPU functions, for all browsers with WebGPU and for Dawn in Node. */
import assert from 'node:assert/strict';
import { maskedFeatures } from '../../src/embedding/mask';
import { statsPoolTests } from './statsPoolTests';
import type { DispatchLimits } from '../../src/features/gpuFbank';
import { CENTERED_FACTS, centeredFbankTests, type ComputeCenteredFbank } from './centeredFbankTests';
import { FACTS, fbankTests, SAMPLE_RATE, type ComputeFbank, type FbankTestOptions } from './fbankTests';
import { noise } from './fixtures/goldens';
import type { Evaluator } from '../browser/evaluator';
import { fromBase64, toBase64 } from '../browser/kernels';

type Test = (title: string, body: () => Promise<void>) => void;

/**
 * Registers the tests of the filterbank and of gathering.
 *
 * @param page page of the kernels, after `voxlaneKernels.open()`
 */
export function filterbankTests(test: Test, page: Evaluator, options: FbankTestOptions = {}): void {
  const computeWithin =
    (limits: DispatchLimits | null): ComputeFbank & ComputeCenteredFbank =>
    async (facts, samples, numWindows) => {
      const request = { facts, sampleRate: SAMPLE_RATE, samples: toBase64(samples), numWindows, limits };
      return fromBase64(await page.evaluate((sent) => voxlaneKernels.fbank(sent), request));
    };
  const compute = computeWithin(null);

  fbankTests(test, compute, options);
  centeredFbankTests(test, compute);

  test("frames beyond the device's limits are split into rows of workgroups and several dispatches, with identical bits", async () => {
    const [numWindows, numSamples] = [3, 20001];
    const samples = noise(numWindows * numSamples, 5);
    const expected = toBase64(await compute(FACTS, samples, numWindows));
    const centered = toBase64(await compute(CENTERED_FACTS, samples, numWindows));
    const wide = { maxStorageBufferBindingSize: 2 ** 27, minStorageBufferOffsetAlignment: 256 };
    // 3 windows of 123 frames: 369 workgroups in rows of 20, and in at most 7 rows of 7.
    for (const maxComputeWorkgroupsPerDimension of [20, 7]) {
      const limits = { ...wide, maxComputeWorkgroupsPerDimension };
      assert.equal(toBase64(await computeWithin(limits)(FACTS, samples, numWindows)), expected);
    }
    const narrow = { ...wide, maxComputeWorkgroupsPerDimension: 65535, maxStorageBufferBindingSize: 12_000 };
    assert.equal(toBase64(await computeWithin(narrow)(FACTS, samples, numWindows)), expected);
    assert.equal(toBase64(await computeWithin(narrow)(CENTERED_FACTS, samples, numWindows)), centered);
  });

  test('gathering matches the CPU within 1e-4', async () => {
    const [numWindows, numFrames, numMelBins, maskFrames] = [2, 998, 80, 589];
    const features = noise(numWindows * numFrames * numMelBins, 11).map((value) => 20 * value - 5);
    const random = noise(maskFrames, 13);
    const masks = {
      all: random.map(() => 1),
      half: random.map((value) => (value > 0 ? 1 : 0)),
      few: random.map((_, frame) => (frame > 580 ? 1 : 0)),
      one: random.map((_, frame) => (frame === 300 ? 1 : 0)),
      none: random.map(() => 0),
    };
    let worst = 0;
    for (const [name, values] of Object.entries(masks)) {
      for (const [window, subtractMean] of [[0, true], [1, true], [1, false]] as const) {
        const mask = Uint8Array.from(values);
        const first = window * numFrames * numMelBins;
        const data = features.subarray(first, first + numFrames * numMelBins);
        const expected = maskedFeatures({ data, numFrames, numMelBins }, mask, subtractMean);
        const request = { features: toBase64(features), numFrames, numMelBins, window, mask: [...mask], subtractMean };
        const actual = fromBase64(await page.evaluate((sent) => voxlaneKernels.gather(sent), request));
        assert.equal(actual.length, expected.length, name);
        // NaN compares false with everything and must not pass.
        const difference = expected.reduce((most, value, i) => {
          const own = Math.abs(value - actual[i]!);
          return Number.isNaN(own) ? Infinity : Math.max(most, own);
        }, 0);
        assert.ok(difference <= (subtractMean ? 1e-4 : 0), `${name}: differs by ${difference}`);
        worst = Math.max(worst, difference);
      }
    }
    console.log(`gather: max |Δ| ${worst.toExponential(1)}`);
  });
}

/** Registers the tests of errors in WGSL. The reported column differs between browsers. */
export function compilerTests(test: Test, page: Evaluator): void {
  test('a kernel that does not compile is an error with line, column and text', async () => {
    const compile = (code: string) => page.evaluate((sent) => voxlaneKernels.compile(sent), code);
    const broken = 'override SIZE: u32;\n\n  var x: f31;\n@compute @workgroup_size(1) fn main() {}\n';
    const error = await compile(broken);
    assert.equal(error?.code, 'backend-failed');
    assert.match(error.problem, /kernel test does not compile$/);
    assert.match(error.details ?? '', /^line 3, column \d+: .*f31.*: var x: f31;$/s);
    // A pipeline error: a binding that is missing in the layout.
    const unbound = '@group(0) @binding(4) var<storage> a: array<f32>;\n@compute @workgroup_size(1) fn main() { _ = a[0]; }\n';
    assert.match((await compile(unbound))?.details ?? '', /binding/i);
    assert.equal(await compile('@compute @workgroup_size(1) fn main() {}'), null);
  });
}

/** Registers the tests of the pooling. */
export function poolingTests(test: Test, page: Evaluator): void {
  statsPoolTests(test, async ({ data }, weights, head) => {
    const request = {
      map: toBase64(data),
      weights: weights.map((own) => [...own]),
      numChannels: head.numChannels,
      embeddingSize: head.embeddingSize,
      weight: toBase64(head.weight),
      bias: [...head.bias],
      meanVector: head.meanVector && [...head.meanVector],
    };
    const { statistics, embeddings } = await page.evaluate((sent) => voxlaneKernels.statsPool(sent), request);
    return { statistics: fromBase64(statistics), embeddings: fromBase64(embeddings) };
  });
}
