/** The GPU kernels against torchaudio's goldens and the CPU's functions, on Chromium's software adapter. */
import { expect, test, type Page } from './support/test';
import { FACTS, SAMPLE_RATE, worse, type Comparison } from '../src/fbank/fbankSuite';
import { evaluatorOf } from './support/evaluator';
import { compilerTests, filterbankTests } from './support/kernelTests';
import { openKernels } from './support/kernels';

let page: Page;
const pageErrors: string[] = [];
/** The worst of each signal. */
const comparisons = new Map<string, Comparison>();

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  page.on('pageerror', (error) => pageErrors.push(error.message));
  await openKernels(page);
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

const evaluator = evaluatorOf(() => page);

filterbankTests(test, evaluator, (signal, comparison) => {
  comparisons.set(signal, worse(comparisons.get(signal) ?? comparison, comparison));
});
compilerTests(test, evaluator);

test('both filterbanks, timed on ten seconds', async () => {
  const timing = await page.evaluate(
    ([facts, sampleRate]) => voxlaneKernels.timeFbank(facts, sampleRate, 1, 10 * sampleRate),
    [FACTS, SAMPLE_RATE] as const,
  );
  console.log(`fbank of 10 s: GPU ${(1000 * timing.gpuSeconds).toFixed(1)} ms, CPU ${(1000 * timing.cpuSeconds).toFixed(1)} ms`);
  expect(timing.gpuSeconds).toBeGreaterThan(0);
});
