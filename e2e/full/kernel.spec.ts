/** Compares the GPU kernels with torchaudio's goldens and their CPU references on Chromium's software adapter. */
import { evaluatorOf } from '../../test/browser/evaluator';
import { openKernels } from '../../test/browser/kernels';
import { expect, test, type Page } from '../../test/browser/test';
import { compilerTests, filterbankTests, poolingTests } from '../../test/kernels/kernelTests';

let page: Page;
const pageErrors: string[] = [];

test.describe.configure({ mode: 'default' });

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  page.on('pageerror', (error) => pageErrors.push(error.message));
  await openKernels(page);
});

test.afterEach(() => {
  // WebGPU reports validation errors asynchronously.
  expect(pageErrors).toEqual([]);
});

test.afterAll(async () => {
  await page.close();
});

const evaluator = evaluatorOf(() => page);
filterbankTests(test, evaluator, { numRandomLengths: 200 });
compilerTests(test, evaluator);
poolingTests(test, evaluator);
