/** The comparison panel, used like an engineer who ports a model. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBundle } from '../../src/compare/files/bundle';
import { writeBundle } from '../../src/compare/files/write';
import { expectNoViolation } from '../../test/browser/accessibilityTests';
import { MINUTES, openFiles, run, state, upload } from '../../test/browser/comparePanel';
import { expect, test } from '../../test/browser/test';
import { hasShared, SHARED, SHARED_MISSING } from '../../test/shared';
import { makeForeignModel } from '../../test/browser/foreignModel';
import { withSwappedGates } from '../../test/onnx/swappedGates';

test('a port with swapped LSTM gates: stage and cause', async ({ page }) => {
  await openFiles(page, [
    upload('ported.onnx', withSwappedGates()),
    upload('goldens.zip', readFileSync('public/goldens/segmentation-3.0.zip')),
  ]);
  await run(page, 'wasm');
  await expect(page.getByTestId('first-divergence')).toContainText('lstm');
  await expect(page.getByTestId('verdict-wasm-sincnet')).toHaveAttribute('data-verdict', 'pass');
  await expect(page.getByTestId('backend-verdict-wasm')).toHaveAttribute('data-first-divergence', 'lstm');
  await expect(page.getByTestId('verdict-wasm-linear1')).toHaveAttribute('data-inherited', 'true');
  await expect(page.getByTestId('cause').first()).toHaveAttribute('data-cause', 'lstm-gates');
});

// A small model, because a software adapter takes a minute for the LSTMs of segmentation-3.0.
test('a port with a wrong stage: the same stage on both backends, whose values can be compared', async ({ page }) => {
  test.setTimeout(7 * MINUTES);
  const { onnx, bundle } = makeForeignModel();
  const goldens = readBundle(bundle);
  const stages = goldens.stages.map((stage, index) => (index === 1 ? { ...stage, data: stage.data.map((value) => value + 0.25) } : stage));
  const wrong = stages[1]!.name;
  const tolerance = stages[0]!.tolerance;
  const changed = writeBundle({ model: 'ported', source: goldens.source, inputs: goldens.inputs, stages, tolerance });
  await openFiles(page, [upload('ported.onnx', onnx), upload('goldens.zip', changed)]);
  await run(page, 'both');
  for (const backend of ['wasm', 'webgpu']) {
    await expect(page.getByTestId(`backend-verdict-${backend}`)).toHaveAttribute('data-first-divergence', wrong);
  }
  await page.getByTestId(`stage-row-${wrong}`).click();
  await page.getByTestId('pair-wasm-webgpu').click();
  await expect(page.getByTestId('heatmap')).toBeVisible();
});

test("a graph of another project: its values by name, and the audit of its weights", async ({ page }) => {
  const { onnx, bundle } = makeForeignModel();
  await openFiles(page, [upload('foreign.onnx', onnx), upload('foreign.zip', bundle)]);
  await expect(page.getByTestId('model-name')).toContainText('foreign');
  await run(page, 'wasm');
  await expect(page.getByTestId('verdict')).toContainText(/4 stages pass/i);
  await page.getByTestId('audit').click();
  await expect(page.getByTestId('audit-result')).toBeVisible({ timeout: MINUTES });
  await expect(page.getByTestId('audit-row').first()).toBeVisible();
});

test('a graph without bundle is bisected, which can be canceled', async ({ page }) => {
  test.setTimeout(7 * MINUTES);
  const { onnx } = makeForeignModel();
  await openFiles(page, [upload('foreign.onnx', onnx)]);
  await page.getByTestId('bisect').click();
  await expect(page.getByTestId('bisect-result')).toBeVisible({ timeout: 2 * MINUTES });
  await expect(page.getByTestId('bisect-node')).toHaveCount(0);
  await page.getByTestId('bisect').click();
  await expect(page.getByTestId('progress')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('progress')).toBeHidden();
});

test('the address selects a bundled model, and the self-check of the main page links to it', async ({ page }) => {
  test.setTimeout(7 * MINUTES);
  await page.goto('compare.html?model=segmentation-3.0');
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 5 * MINUTES });
  for (const backend of ['wasm', 'kernels']) await expect(page.getByTestId(`backend-verdict-${backend}`)).toHaveAttribute('data-verdict', 'pass');
  await page.goto('index.html');
  await expect(page.locator('a[href*="compare.html"]').first()).toBeVisible();
});

test.describe('bundles from other projects', () => {
  test.skip(!hasShared, SHARED_MISSING);
  test('a transposed golden stage is reported and displayed with matching axes', async ({ page }) => {
    await openFiles(page, join(SHARED, 'goldens', 'seg_dev00.bad_sincnet_transposed.zip'));
    await run(page, 'wasm');
    await expect(page.getByTestId('first-divergence')).toContainText('sincnet');
    await expect(page.getByTestId('cause').first()).toHaveAttribute('data-cause', 'permuted-axes');
    await expect(page.getByTestId('verdict-wasm-lstm')).toHaveAttribute('data-verdict', 'pass');
    await page.getByTestId('stage-row-sincnet').click();
    await expect(page.getByTestId('heatmap')).toBeVisible();
    await expectNoViolation(page, 'a comparison');
  });
});
