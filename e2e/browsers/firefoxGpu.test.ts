/** Our WGSL in a second compiler: Firefox compiles it with naga, Chromium with Tint. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compilerTests, filterbankTests, poolingTests } from '../../test/kernels/kernelTests';
import { networkStageTests } from '../../test/kernels/networkStageTests';
import type { Evaluator } from '../../test/browser/evaluator';
import { runShort } from '../../test/browser/gpu';
import { collectGpuCounts, METERED_WORKERS, METER_SCRIPT, takeGpuCounts } from '../../test/browser/gpuMeter';
import { compareShipped, faultsOfParity } from '../../test/browser/parity';
import { fromBase64, toBase64 } from '../../test/browser/kernels';
import { compareStages, figuresText, MAX_RELATIVE, MIN_COSINE, readResnetGoldens, RESNET34 } from '../../test/resnetGoldens';
import { seededResnet34 } from '../../test/seededModel';
import type { Driver } from './driver';
import { firefoxWithWebGpu } from './drivers/firefox';
import { PAGES } from './pages';
import { serveApp, type AppServer } from './servers';
import { startBrowser, type StartedBrowser } from './startBrowser';
import { waitFor } from './waiting';
import { describeUnless } from '../../test/skips';

declare global {
  /** Asynchronous WebGPU errors. */
  var kernelErrors: string[];
}

const RESNET34_FILE = 'seeded-resnet34.onnx';
const missing = firefoxWithWebGpu.missing();

describeUnless(missing)(firefoxWithWebGpu.name, () => {
  let browser: StartedBrowser;
  let driver: Driver;
  let server: AppServer;
  const page: Evaluator = { evaluate: (body, request) => driver.evaluate(body, request) };

  beforeAll(async () => {
    server = await serveApp({ [RESNET34_FILE]: seededResnet34('pyannote') });
    server.inject(METERED_WORKERS, METER_SCRIPT, 'all');
    browser = await startBrowser(firefoxWithWebGpu);
    driver = browser.driver;
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
    await browser.end();
    await server.end();
  });

  describe('kernels', () => {
    afterEach(async () => {
      expect(await driver.evaluate(() => globalThis.kernelErrors)).toEqual([]);
    });
    filterbankTests(it, page);
    poolingTests(it, page);
    compilerTests(it, page);
    networkStageTests(it, (id) => driver.evaluate((asked) => voxlaneKernels.networkStages(asked), id));

    it("every stage of ResNet34 on one second and the embedding of each speaker match PyTorch", async () => {
      const goldens = readResnetGoldens('one_second');
      const { window, activity, numSpeakers } = goldens;
      const numWindows = 1;
      const request = {
        model: `/${RESNET34_FILE}`,
        manifest: RESNET34,
        samples: toBase64(window),
        activity: [...activity],
        numWindows,
        numSpeakers,
      };
      const result = await driver.evaluate((sent) => voxlaneKernels.resnet(sent), request);
      expect(result.backboneRuns).toBe(numWindows);

      const stages = new Map(Object.entries(result.stages).map(([stage, values]) => [stage, fromBase64(values)]));
      stages.set('masked_embedding', fromBase64(result.embeddings));
      const names = RESNET34.stages.map(({ name }) => name);
      expect([...stages.keys()].toSorted()).toEqual([...names, 'masked_embedding'].toSorted());
      for (const figures of compareStages(stages, goldens)) {
        console.log(`WebGPU, ${figuresText(figures)}`);
        expect(figures.cosine, figures.stage).toBeGreaterThanOrEqual(MIN_COSINE);
        expect(figures.relative, figures.stage).toBeLessThanOrEqual(MAX_RELATIVE);
      }
    });
  });

  it('a short recording on WebGPU matches the golden outputs and the turns of WASM', async () => {
    await driver.open(server.address + PAGES.engine);
    await waitFor(driver, 'the library', 30, () => 'voxlane' in globalThis);
    await collectGpuCounts(page);
    const expected = await runShort(page, { backend: 'wasm' });
    // WASM does not touch the GPU, not even to load its models.
    expect(await takeGpuCounts(page)).toEqual({});
    const run = await runShort(page, { backend: 'webgpu' });
    const { segmentation, fbank: mel, embedding: voices } = await takeGpuCounts(page);
    expect(run.backend).toMatchObject({ name: 'webgpu' });
    const stages = run.backend.selfCheck!.flatMap((check) => check.stages);
    console.log(stages.map(({ stage, maxAbs, cosine }) => ({ stage, maxAbs, cosine })));
    expect(stages.map(({ stage, passed }) => [stage, passed])).toEqual(
      ['classifier', 'classifier (1 × 10 s)', 'fbank', 'embedding', 'fbank (10 s)', 'embedding (10 s)', 'embedding (1 × 10 s)'].map((stage) => [stage, true]),
    );
    const [classifier, , fbank, embedding] = stages as [(typeof stages)[0], (typeof stages)[0], (typeof stages)[0], (typeof stages)[0]];
    // Guaranteed difference from PyTorch. The tolerances of the bundles can be larger.
    expect(classifier.maxAbs).toBeLessThanOrEqual(1e-2);
    expect(classifier.argmaxAgreement).toBeGreaterThanOrEqual(0.999);
    expect(fbank.maxAbs).toBeLessThanOrEqual(2e-3);
    expect(embedding.cosine).toBeGreaterThanOrEqual(0.9999);
    expect(expected.turns.length).toBeGreaterThan(0);
    expect(run.turns.map(({ speaker }) => speaker)).toEqual(expected.turns.map(({ speaker }) => speaker));
    run.turns.forEach((turn, index) => {
      // One segmentation frame: if a score is close to its threshold, rounding decides.
      expect(Math.abs(turn.startSeconds - expected.turns[index]!.startSeconds)).toBeLessThanOrEqual(0.017);
      expect(Math.abs(turn.endSeconds - expected.turns[index]!.endSeconds)).toBeLessThanOrEqual(0.017);
    });
    // No round trips: exactly the float32 scores (2 windows, 589 frames, 7 classes) and (embeddings, 192).
    expect(segmentation?.bytesBack).toBe(2 * 589 * 7 * 4);
    expect(voices?.bytesBack).toBe(run.numEmbeddings * 192 * 4);
    expect(mel?.bytesBack).toBe(0);
    expect(run.numEmbeddings).toBeGreaterThan(0);
    // Samples are uploaded once per model.
    expect(mel?.bytesUp).toBeGreaterThanOrEqual(2 * 160_000 * 4);
    expect(mel?.bytesUp).toBeLessThan(2 * 160_000 * 4 + 4096);
  });

  // Without campplus-zh-en, because the self-check of the short recording compares its features and embeddings.
  it('every stage of segmentation-3.0 on WebGPU is within the tolerances of its bundle', async () => {
    const id = 'segmentation-3.0';
    await driver.open(server.address + PAGES.engine);
    await waitFor(driver, 'the library', 30, () => 'voxlane' in globalThis);
    expect(faultsOfParity(await compareShipped(page, id, 'webgpu'), id, 'webgpu')).toEqual([]);
  });
});
