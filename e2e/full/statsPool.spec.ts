/** The pooling kernels against pyannote's goldens and the definition, on Chromium's software adapter. */
import { expect, test, type Page } from '../../test/browser/test';
import { statsPoolSuite } from '../../test/kernels/statsPoolSuite';
import { fromBase64, openKernels, toBase64 } from '../../test/browser/kernels';

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

statsPoolSuite(test, async ({ data }, weights, head) => {
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
