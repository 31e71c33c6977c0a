/** Our WGSL under a second compiler: Firefox compiles it with naga, Chromium with Tint. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compilerTests, filterbankTests, poolingTests } from '../../test/kernels/kernelTests';
import type { Evaluator } from '../../test/browser/evaluator';
import { runShort } from '../../test/browser/gpu';
import type { Driver } from './driver';
import { firefoxWithWebGpu } from './drivers/firefox';
import { PAGES } from './pages';
import { serveApp, type TestServer } from './servers';
import { waitFor } from './waiting';

declare global {
  /** What WebGPU reports beside the calls that made it. */
  var kernelErrors: string[];
}

const missing = firefoxWithWebGpu.missing();

describe.skipIf(missing !== null)(missing === null ? firefoxWithWebGpu.name : `${firefoxWithWebGpu.name} [${missing}]`, () => {
  let driver: Driver;
  let server: TestServer;
  const page: Evaluator = { evaluate: (body, request) => driver.evaluate(body, request) };

  beforeAll(async () => {
    server = await serveApp();
    driver = await firefoxWithWebGpu.start('.');
    await driver.open(server.address + PAGES.kernels);
    await waitFor(driver, 'the kernels', 30, () => 'voxlaneKernels' in globalThis);
    const adapter = await driver.evaluate(() => {
      globalThis.kernelErrors = [];
      addEventListener('error', ({ message }) => globalThis.kernelErrors.push(message));
      return voxlaneKernels.open();
    });
    console.log(`kernels on ${adapter} in Firefox`);
  });
  afterAll(async () => {
    await driver.close();
    await server.end();
  });

  describe('kernels', () => {
    afterEach(async () => {
      expect(await driver.evaluate(() => globalThis.kernelErrors)).toEqual([]);
    });
    filterbankTests(it, page);
    poolingTests(it, page);
    compilerTests(it, page);
  });

  it('a short recording on WebGPU: the golden outputs, and the turns of WASM', async () => {
    await driver.open(server.address + PAGES.engine);
    await waitFor(driver, 'the library', 30, () => 'voxlane' in globalThis);
    const expected = await runShort(page, { backend: 'wasm' });
    const run = await runShort(page, { backend: 'webgpu' });
    expect(run.backend).toMatchObject({ name: 'webgpu' });
    const stages = run.backend.selfCheck!.flatMap((proof) => proof.stages);
    console.log(stages.map(({ stage, maxAbs, cosine }) => ({ stage, maxAbs, cosine })));
    expect(stages.map(({ stage, passed }) => [stage, passed])).toEqual(
      ['classifier', 'classifier (1 × 10 s)', 'fbank', 'embedding', 'fbank (10 s)', 'embedding (10 s)'].map((stage) => [stage, true]),
    );
    expect(expected.turns.length).toBeGreaterThan(0);
    expect(run.turns.map(({ speaker }) => speaker)).toEqual(expected.turns.map(({ speaker }) => speaker));
    run.turns.forEach((turn, index) => {
      // A frame of the segmentation: where a score lies at its threshold, rounding decides.
      expect(Math.abs(turn.startSeconds - expected.turns[index]!.startSeconds)).toBeLessThanOrEqual(0.017);
      expect(Math.abs(turn.endSeconds - expected.turns[index]!.endSeconds)).toBeLessThanOrEqual(0.017);
    });
  });
});
