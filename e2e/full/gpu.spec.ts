/**
 * The choice between WebGPU and WASM on the software adapter, and the page with a faulty GPU.
 * e2e/browsers/firefoxGpuFaults.test.ts covers faults during a run.
 */
import { sampleWav } from '../../test/audio/sampleWav';
import { expect, test } from '../../test/browser/test';
import { openEngine } from '../../test/browser/engine';
import { runShort } from '../../test/browser/gpu';
import { breakGpu } from '../../test/browser/gpuFaults';

test.beforeEach(async ({ page }) => {
  test.setTimeout(600_000);
  await openEngine(page);
});

test('auto: a software adapter loses the timed trial, and the verdict is stored', async ({ page }) => {
  let workers = 0;
  page.on('worker', () => workers++);
  const first = await runShort(page, { backend: 'auto' });
  const workersWithTrial = workers;
  expect(first.backend.name).toBe('wasm');
  expect(first.backend.reason).toMatch(/WASM was faster in a trial/);
  const second = await runShort(page, { backend: 'auto' });
  expect(second.backend.reason).toBe(first.backend.reason);
  // The second start does not repeat the self-check on the GPU or the trial on WASM.
  expect(workers - workersWithTrial).toBeLessThan(workersWithTrial);
});

test('a GPU with one perturbed stage is detected, reported on the page, and not used', async ({ page }) => {
  await breakGpu(page, { stage: 'segmentation', kind: 'perturb' });
  // It would be tried after our kernels, for minutes.
  await page.route('**/ort/ort.webgpu.min.mjs', (route) => route.fulfill({ status: 404 }));
  await page.goto('index.html');
  await page.locator('summary', { hasText: 'Options' }).click();
  await page.getByText('WebGPU', { exact: true }).click();
  await page.getByTestId('file-input').setInputFiles({ name: 'clip.wav', mimeType: 'audio/wav', buffer: sampleWav(9, 3) });
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  await expect(page.getByTestId('self-check')).toContainText('classifier');
  await expect(page.getByTestId('backend-line')).toContainText('WASM');
  // In the tab of the run, which is hidden.
  await expect(page.getByText(/stage classifier deviates by 0\.25/)).toHaveCount(1);
  await expect(page.getByTestId('turn-row').first()).toBeVisible();
});
