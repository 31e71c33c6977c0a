/** A GPU that fails in every way that drivers have been seen to, on the software adapter. */
import { expect, test, type Page } from '../../test/browser/test';
import { openEngine } from '../../test/browser/engine';
import { runShort, type ShortRun } from '../../test/browser/gpu';
import { breakGpu } from '../../test/browser/gpuFaults';

// In one worker, which keeps the runs that the tests compare with.
test.describe.configure({ mode: 'default' });

let wasm: ShortRun | undefined;

async function wasmRun(page: Page): Promise<ShortRun> {
  wasm ??= await runShort(page, { backend: 'wasm' });
  return wasm;
}

test.beforeEach(async ({ page }) => {
  test.setTimeout(600_000);
  await openEngine(page);
});

// One run of the whole for each kind of handling. test/full/gpuModels.test.ts has the kinds of fault in each stage,
// stages.spec.ts wrong values in mid-run, library.spec.ts no memory for a single window, and
// src/pipeline/batchSize.test.ts batches that are halved.
test('the device is destroyed in the segmentation after one run: the same turns', async ({ page }) => {
  // e2e/browsers/firefoxGpu.test.ts compares an undisturbed run on the GPU with WASM.
  const expected = await wasmRun(page);
  let workers = 0;
  page.on('worker', () => workers++);
  await breakGpu(page, { stage: 'segmentation', kind: 'lost', afterRuns: 1 });
  const run = await runShort(page, { backend: 'webgpu', trustGpu: true });
  expect(run.backend.name).toBe('webgpu');
  expect(run.rttm).toBe(expected.rttm);
  expect(run.rttm.length).toBeGreaterThan(0);
  // Decoding, segmentation, embedding, clustering, and the one that was started again.
  expect(workers).toBe(5);
});

test('a device that is lost again and again is given up', async ({ page }) => {
  // Restarted workers have no fault any more, so the browser itself is made to lose the device each time.
  await page.route('**/segmentation.worker-*.js', async (route) => {
    const response = await route.fetch();
    const prelude = `
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await requestDevice.call(this, descriptor);
        setTimeout(() => device.destroy(), 4000);
        return device;
      };`;
    await route.fulfill({ response, body: `${prelude}\n${await response.text()}` });
  });
  const run = await runShort(page, { backend: 'webgpu', trustGpu: true });
  expect(run.backend.name).toBe('wasm');
  expect(run.backend.reason).toMatch(/device was lost/);
  expect(run.rttm).toBe((await wasmRun(page)).rttm);
});

test('auto: a software adapter loses the timed trial, and the verdict is remembered', async ({ page }) => {
  let workers = 0;
  page.on('worker', () => workers++);
  const first = await runShort(page, { backend: 'auto' });
  const workersWithTrial = workers;
  expect(first.backend.name).toBe('wasm');
  expect(first.backend.reason).toMatch(/WASM was faster in a trial/);
  const second = await runShort(page, { backend: 'auto' });
  expect(second.backend.reason).toBe(first.backend.reason);
  // The second start repeats neither the self-check on the GPU nor the trial on WASM.
  expect(workers - workersWithTrial).toBeLessThan(workersWithTrial);
});

test('a GPU with one stage perturbed is found out, named on the page, and not used', async ({ page }) => {
  await breakGpu(page, { stage: 'segmentation', kind: 'perturb' });
  await page.goto('index.html');
  await page.locator('summary', { hasText: 'Options' }).click();
  await page.getByText('WebGPU', { exact: true }).click();
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  await expect(page.getByTestId('self-check')).toContainText('classifier');
  await expect(page.getByTestId('backend-line')).toContainText('WASM');
  // On the tab of the run, which is not shown.
  await expect(page.getByText(/stage classifier is off by 0\.25/)).toHaveCount(1);
  await expect(page.getByTestId('turn-row')).toHaveCount(11);
});
