/**
 * Models and runtime of the packages in a Vite build and on another origin. On a software adapter, because the bundled
 * models run without ONNX Runtime unless our GPU kernels fail.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, ROOT } from '../../test/packages/pack';
import { copyExample } from '../../test/packages/projects';
import { runIn } from '../../test/packages/runIn';
import { serveFolders, type StaticServer } from '../../test/packages/servers';
import { LIBRARY_POLICY, serialized } from '../../test/packages/policies';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions } from '../../src/index';
import { expect, test, type Page } from '../../test/browser/test';

test.use({ allowedOrigins: /^http:\/\/127\.0\.0\.1:\d+$/ });

interface ShownResult extends Pick<DiarizationResult, 'backend' | 'turns'> {
  readonly numSpeakers: number;
}

/** One second of the pause at the start: loads both models but computes no embedding on the software adapter. */
const SHORT = { backend: 'webgpu', trustGpu: true, startSeconds: 0, durationSeconds: 1 } as const;

// In one worker, because all tests share one build folder.
test.describe.configure({ mode: 'default' });

/**
 * Refuses to compile our network for embeddings, so that ONNX Runtime opens the model. In the built file, because a worker
 * whose response a test fulfills may not request files of another origin on this machine.
 */
const REFUSE_NETWORK = `if (globalThis.GPUDevice) {
  const { createComputePipelineAsync } = GPUDevice.prototype;
  GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
    if (descriptor.label === 'product') return Promise.reject(new Error('refused by the test'));
    return createComputePipelineAsync.call(this, descriptor);
  };
}
`;

let server: StaticServer;
let assets: StaticServer;

test.beforeAll(async () => {
  test.setTimeout(400_000);
  const packages = join(await installPackages(), 'node_modules');
  const folder = await copyExample('vite', 'options', 'sample');
  cpSync(join(ROOT, 'test/packages/optionsPage'), folder, { recursive: true });
  await runIn(folder, 'npm', ['run', 'build']);
  const scripts = join(folder, 'dist/assets');
  for (const name of readdirSync(scripts).filter((file) => /^embedding-.*\.js$/.test(file))) {
    writeFileSync(join(scripts, name), REFUSE_NETWORK + readFileSync(join(scripts, name), 'utf8'));
  }
  server = await serveFolders({ '/': join(folder, 'dist') });
  assets = await serveFolders({ '/': join(packages, 'voxlane-assets/voxlane') }, { 'Access-Control-Allow-Origin': '*' });
});
test.afterAll(() => {
  server.stop();
  assets.stop();
});

async function diarizeWith(page: Page, options: DiarizerOptions & DiarizeOptions): Promise<ShownResult> {
  const failures: Error[] = [];
  page.on('pageerror', (error) => failures.push(error));
  await page.goto(`${server.address}?options=${encodeURIComponent(JSON.stringify(options))}`);
  const result = page.locator('#result');
  await expect.poll(async () => failures.length > 0 || (await result.innerText()) !== '', { timeout: 200_000 }).toBe(true);
  expect(failures).toEqual([]);
  return JSON.parse(await result.innerText()) as ShownResult;
}

/** Options that load all files from the other origin. */
const elsewhere = (): DiarizerOptions => ({
  models: `${assets.address}models`,
  runtime: `${assets.address}ort`,
  goldens: `${assets.address}goldens`,
});

test('WASM: models from another origin', async ({ page }) => {
  server.headers = {};
  const { backend, turns, numSpeakers } = await diarizeWith(page, { ...elsewhere(), backend: 'wasm', startSeconds: 7, durationSeconds: 8 });
  expect(backend.name).toBe('wasm');
  expect(turns.length).toBeGreaterThan(2);
  expect(numSpeakers).toBe(2);
  expect(assets.asked.filter((path) => path.endsWith('.onnx'))).not.toEqual([]);
  expect(server.asked.filter((path) => path.endsWith('.onnx'))).toEqual([]);
});

test('WebGPU: the runtime is found in a Vite build under a strict policy', async ({ page }) => {
  test.setTimeout(240_000);
  server.headers = { 'Content-Security-Policy': serialized(LIBRARY_POLICY) };
  const { backend, turns } = await diarizeWith(page, SHORT);
  expect(backend.name).toBe('webgpu');
  expect(turns).toEqual([]);
  expect(server.asked.filter((path) => /ort\.webgpu\.min.*\.mjs$/.test(path))).not.toEqual([]);
  expect(server.asked.filter((path) => /asyncify.*\.wasm$/.test(path))).not.toEqual([]);
});

test('WebGPU: models and runtime from another origin', async ({ page }) => {
  test.setTimeout(240_000);
  server.headers = {};
  const before = server.asked.length;
  const { backend, turns } = await diarizeWith(page, { ...elsewhere(), ...SHORT });
  expect(backend.name).toBe('webgpu');
  expect(turns).toEqual([]);
  expect(assets.asked).toContain('/ort/ort.webgpu.min.mjs');
  expect(assets.asked).toContain('/ort/ort-wasm-simd-threaded.asyncify.wasm');
  expect(server.asked.slice(before).filter((path) => /\.(mjs|wasm|onnx)$/.test(path))).toEqual([]);
});
