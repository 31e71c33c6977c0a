/** The GPU kernels against torchaudio's goldens and the CPU's functions, on Chromium's software adapter. */
import { expect, test, type Page } from '../../test/browser/test';
import { maskedFeatures } from '../../src/embedding/mask';
import type { DispatchLimits } from '../../src/fbank/dispatchPlan';
import { FACTS, fbankSuite, SAMPLE_RATE, worse, type Comparison, type ComputeFbank } from '../../test/kernels/fbankSuite';
import { noise } from '../../src/fbank/fixtures/signals';

let page: Page;
const pageErrors: string[] = [];
/** The worst of each signal. */
const comparisons = new Map<string, Comparison>();

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  page.on('pageerror', (error) => pageErrors.push(error.message));
  await page.goto('test/kernels.html');
  await page.waitForFunction(() => 'voxlaneKernels' in globalThis);
  console.log(`kernels on ${await page.evaluate(() => voxlaneKernels.open())}`);
});

test.afterEach(() => {
  // WebGPU reports its validation errors beside the calls that made them.
  expect(pageErrors).toEqual([]);
});

test.afterAll(async () => {
  for (const [signal, { maxDifference, minCosine }] of comparisons) {
    console.log(`${signal}: max |Δ| ${maxDifference.toExponential(1)}, 1 - cosine ${(1 - minCosine).toExponential(1)}`);
  }
  await page.close();
});

const toBase64 = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

const fromBase64 = (text: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

const computeWithin =
  (limits: DispatchLimits | null): ComputeFbank =>
  async (facts, samples, numWindows) => {
    const request = { facts, sampleRate: SAMPLE_RATE, samples: toBase64(samples), numWindows, limits };
    return fromBase64(await page.evaluate((sent) => voxlaneKernels.fbank(sent), request));
  };

const compute = computeWithin(null);

fbankSuite(test, compute, {
  numRandomLengths: 200,
  report: (signal, comparison) => {
    comparisons.set(signal, worse(comparisons.get(signal) ?? comparison, comparison));
  },
});

test("frames beyond the device's limits go into rows of workgroups and several dispatches, to the same bits", async () => {
  const [numWindows, numSamples] = [3, 20001];
  const samples = noise(numWindows * numSamples, 5);
  const expected = await compute(FACTS, samples, numWindows);
  const wide = { maxStorageBufferBindingSize: 2 ** 27, minStorageBufferOffsetAlignment: 256 };
  // 3 windows of 123 frames: 369 workgroups in rows of 20, and in rows of 7 of which only 7 are allowed.
  for (const maxComputeWorkgroupsPerDimension of [20, 7]) {
    const limits = { ...wide, maxComputeWorkgroupsPerDimension };
    expect(toBase64(await computeWithin(limits)(FACTS, samples, numWindows))).toBe(toBase64(expected));
  }
  const narrow = { ...wide, maxComputeWorkgroupsPerDimension: 65535, maxStorageBufferBindingSize: 12_000 };
  expect(toBase64(await computeWithin(narrow)(FACTS, samples, numWindows))).toBe(toBase64(expected));
});

test('gathering gives what the CPU gives, to 1e-4', async () => {
  const [numWindows, numFrames, numMelBins, maskFrames] = [3, 998, 80, 589];
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
    for (const [window, subtractMean] of [[0, true], [1, true], [2, true], [1, false]] as const) {
      const mask = Uint8Array.from(values);
      const first = window * numFrames * numMelBins;
      const data = features.subarray(first, first + numFrames * numMelBins);
      const expected = maskedFeatures({ data, numFrames, numMelBins }, mask, subtractMean);
      const request = { features: toBase64(features), numFrames, numMelBins, window, mask: [...mask], subtractMean };
      const actual = fromBase64(await page.evaluate((sent) => voxlaneKernels.gather(sent), request));
      expect(actual.length, name).toBe(expected.length);
      const difference = expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!)), 0);
      expect(difference, name).toBeLessThanOrEqual(subtractMean ? 1e-4 : 0);
      worst = Math.max(worst, difference);
    }
  }
  console.log(`gather: max |Δ| ${worst.toExponential(1)}`);
});

test('a kernel that does not compile is an error with line, column and text', async () => {
  const broken = 'override SIZE: u32;\n\n  var x: f31;\n@compute @workgroup_size(1) fn main() {}\n';
  const error = await page.evaluate((code) => voxlaneKernels.compile(code), broken);
  expect(error?.code).toBe('backend-failed');
  expect(error?.problem).toMatch(/kernel test does not compile: line 3, column 10: .*f31.*: var x: f31;$/s);
  // What is wrong only with the pipeline: a binding that the layout lacks.
  const unbound = '@group(0) @binding(4) var<storage> a: array<f32>;\n@compute @workgroup_size(1) fn main() { _ = a[0]; }\n';
  expect((await page.evaluate((code) => voxlaneKernels.compile(code), unbound))?.problem).toMatch(/does not compile: .*binding/is);
  expect(await page.evaluate(() => voxlaneKernels.compile('@compute @workgroup_size(1) fn main() {}'))).toBeNull();
});
