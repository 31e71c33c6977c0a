/** The comparison panel, as an engineer who ports a model uses it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '../test/browser/test';
import type { ComparisonReport } from '../src/compare/report';
import { encodeOnnx, parseOnnx } from '../src/onnx/model';
import { copyWith } from '../src/onnx/message';
import { hasShared, SHARED, SHARED_MISSING } from '../test/shared';
import { makeForeignModel } from '../test/browser/foreignModel';

const state = (page: Page) => page.getByTestId('state');
const MINUTES = 60_000;

interface Upload {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}
const upload = (name: string, bytes: Uint8Array): Upload => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });

/** Opens the page, gives it files, and runs them on one backend. */
async function openFiles(page: Page, files: string | Upload[]): Promise<void> {
  await page.goto('compare.html');
  await expect(state(page)).toHaveAttribute('data-state', 'empty');
  await page.getByTestId('file-input').setInputFiles(files);
  await expect(state(page)).toHaveAttribute('data-state', 'opened', { timeout: MINUTES });
}

async function run(page: Page, backend: 'wasm' | 'webgpu' | 'both'): Promise<void> {
  await page.getByTestId(`backend-${backend}`).click();
  await page.getByTestId('run').click();
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 2 * MINUTES });
}

async function savedReport(page: Page): Promise<{ reports?: ComparisonReport[] } & Record<string, unknown>> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('save-report').click()]);
  return JSON.parse(readFileSync(await file.path(), 'utf8')) as Record<string, unknown>;
}

test('a shipped model passes on WASM, and is looked at closely', async ({ page }) => {
  await openFiles(page, 'public/goldens/segmentation-3.0.zip');
  await expect(page.getByTestId('model-name')).toContainText('segmentation-3.0');
  await run(page, 'wasm');
  await expect(page.getByTestId('verdict')).toContainText(/5 stages pass/i);
  for (const stage of ['sincnet', 'lstm', 'linear1', 'linear2', 'classifier']) {
    await expect(page.getByTestId(`verdict-wasm-${stage}`)).toHaveAttribute('data-verdict', 'pass');
  }
  // By keyboard from one stage to the next; the detail follows.
  await page.getByTestId('stage-row-lstm').click();
  await expect(page.getByTestId('detail-stage')).toContainText('lstm');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByTestId('detail-stage')).toContainText('linear1');
  for (const part of ['heatmap', 'waveform', 'slice', 'histogram']) await expect(page.getByTestId(part)).toBeVisible();
  await expect(page.getByTestId('worst')).toContainText(/ s\b/);
  const before = await page.getByTestId('slice-title').innerText();
  await page.getByTestId('heat-slider').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('slice-title')).not.toHaveText(before);

  const report = await savedReport(page);
  expect(JSON.stringify(report)).toContain('"verdict":"pass"');
  expect(JSON.stringify(report)).toMatch(/graphSha256/);
});

test('tolerances can be tried, and the verdict says that they were', async ({ page }) => {
  await openFiles(page, 'public/goldens/segmentation-3.0.zip');
  await run(page, 'wasm');
  await page.getByTestId('tolerances').locator('summary').click();
  await page.getByTestId('tolerance-maxAbs-all').fill('0');
  await page.getByTestId('tolerance-maxAbs-all').press('Enter');
  await expect(page.getByTestId('first-divergence')).toContainText('sincnet');
  await expect(page.getByTestId('edited')).toBeVisible();
  expect(JSON.stringify(await savedReport(page))).toContain('"verdict":"pass"');
  await page.getByTestId('tolerances-reset').click();
  await expect(page.getByTestId('verdict')).toContainText(/5 stages pass/i);
});

test('a port with swapped LSTM gates: the stage, the cause, on both backends', async ({ page }) => {
  test.setTimeout(4 * MINUTES);
  await openFiles(page, [
    upload('ported.onnx', withSwappedGates()),
    upload('goldens.zip', readFileSync('public/goldens/segmentation-3.0.zip')),
  ]);
  await run(page, 'both');
  await expect(page.getByTestId('first-divergence')).toContainText('lstm');
  await expect(page.getByTestId('verdict-wasm-sincnet')).toHaveAttribute('data-verdict', 'pass');
  for (const backend of ['wasm', 'webgpu']) {
    await expect(page.getByTestId(`backend-verdict-${backend}`)).toHaveAttribute('data-first-divergence', 'lstm');
    await expect(page.getByTestId(`verdict-${backend}-linear1`)).toHaveAttribute('data-inherited', 'true');
  }
  await expect(page.getByTestId('cause').first()).toHaveAttribute('data-cause', 'lstm-gates');
  await page.getByTestId('stage-row-lstm').click();
  await page.getByTestId('pair-wasm-webgpu').click();
  await expect(page.getByTestId('heatmap')).toBeVisible();
});

/** The shipped graph with the gates of its first LSTM in PyTorch's order. */
function withSwappedGates(): Uint8Array {
  const model = parseOnnx(readFileSync('models/segmentation-3.0/model.onnx'), 'model.onnx');
  const graph = model.graph!;
  const lstm = graph.node.find(({ opType }) => opType === 'LSTM')!;
  // Weights of the input, of the state, and both biases.
  const [, w, r, b] = lstm.input;
  const initializer = graph.initializer.map((tensor) => {
    if (![w, r, b].includes(tensor.name)) return tensor;
    const values = new Float32Array(new Uint8Array(tensor.rawData).buffer);
    const block = values.length / (tensor.name === b ? 16 : 8);
    const swapped = Float32Array.from(values, (_, i) => {
      const gate = Math.floor(i / block) % 4;
      return values[i + ([0, 2, 3, 1][gate]! - gate) * block]!;
    });
    return copyWith(tensor, { rawData: new Uint8Array(swapped.buffer) });
  });
  return encodeOnnx(copyWith(model, { graph: copyWith(graph, { initializer }) }));
}

test("somebody else's graph: its values by name, and the audit of its weights", async ({ page }) => {
  const { onnx, bundle } = makeForeignModel();
  await openFiles(page, [upload('foreign.onnx', onnx), upload('foreign.zip', bundle)]);
  await expect(page.getByTestId('model-name')).toContainText('foreign');
  await run(page, 'wasm');
  await expect(page.getByTestId('verdict')).toContainText(/4 stages pass/i);
  await page.getByTestId('audit').click();
  await expect(page.getByTestId('audit-result')).toBeVisible({ timeout: MINUTES });
  await expect(page.getByTestId('audit-row').first()).toBeVisible();
});

test('a graph alone is bisected, and can be cancelled', async ({ page }) => {
  test.setTimeout(4 * MINUTES);
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

test('files that cannot be compared say why', async ({ page }) => {
  await page.goto('compare.html');
  const cases: [Upload, RegExp, string][] = [
    [upload('cut.zip', readFileSync('public/goldens/segmentation-3.0.zip').subarray(0, 5000)), /cannot be unpacked/, 'format'],
    [upload('page.onnx', Buffer.from('<!doctype html><title>Not found</title>')), /is text that begins with/, 'model-invalid'],
    [upload('weights.pt', Buffer.from('PK')), /Python pickle/, 'format'],
    [upload('notes.txt', Buffer.from('hello')), /Nothing can be compared/, 'options'],
  ];
  for (const [file, message, code] of cases) {
    await page.getByTestId('file-input').setInputFiles([file]);
    await expect(page.getByTestId('failure')).toContainText(message);
    await expect(page.getByTestId('failure')).toHaveAttribute('data-code', code);
  }
});

test('the address names a shipped model, and the self-check of the main page leads there', async ({ page }) => {
  test.setTimeout(3 * MINUTES);
  await page.goto('compare.html?model=segmentation-3.0');
  await expect(state(page)).toHaveAttribute('data-state', 'done', { timeout: 2 * MINUTES });
  await expect(page.getByTestId('backend-verdict-wasm')).toHaveAttribute('data-verdict', 'pass');
  await page.goto('index.html');
  await expect(page.locator('a[href*="compare.html"]').first()).toBeVisible();
});

test.describe('bundles made by others', () => {
  test.skip(!hasShared, SHARED_MISSING);
  test('a transposed golden stage is named, and drawn as it fits', async ({ page }) => {
    await openFiles(page, join(SHARED, 'goldens', 'seg_dev00.bad_sincnet_transposed.zip'));
    await run(page, 'wasm');
    await expect(page.getByTestId('first-divergence')).toContainText('sincnet');
    await expect(page.getByTestId('cause').first()).toHaveAttribute('data-cause', 'permuted-axes');
    await expect(page.getByTestId('verdict-wasm-lstm')).toHaveAttribute('data-verdict', 'pass');
    await page.getByTestId('stage-row-sincnet').click();
    await expect(page.getByTestId('heatmap')).toBeVisible();
  });
});
