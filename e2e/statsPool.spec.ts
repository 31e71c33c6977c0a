/** The pooling kernels against pyannote's goldens and the definition, on Chromium's software adapter. */
import { expect, test, type Page } from './support/test';
import { evaluatorOf } from './support/evaluator';
import { openKernels } from './support/kernels';
import { poolingTests } from './support/kernelTests';

let page: Page;
const pageErrors: string[] = [];

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
  await page.close();
});

poolingTests(test, evaluatorOf(() => page));
