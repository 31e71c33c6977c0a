/**
 * A GPU with driver faults in a whole run. In Firefox, because its software adapter is several times faster than Chromium's.
 * test/full/gpuModels.test.ts covers each kind of fault in the models, gpuGuard.test.ts in the filterbank. Unit tests of
 * src/engine (trust, modelWorker, singleStagesEngine, replay) cover all decisions after a fault.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { faultScript, workerOf, type GpuFault } from '../../test/browser/gpuFaults';
import { runShort, type ShortRun } from '../../test/browser/gpu';
import { putSamples } from '../../test/browser/samples';
import type { Evaluator } from '../../test/browser/evaluator';
import type { DiarizationResult, DiarizerOptions } from '../../src/index';
import type { Driver } from './driver';
import { firefoxWithWebGpu } from './drivers/firefox';
import { PAGES } from './pages';
import { serveApp, type AppServer } from './servers';
import { startBrowser, type StartedBrowser } from './startBrowser';
import { waitFor } from './waiting';
import { describeUnless } from '../../test/skips';

declare global {
  /** Number of workers started by the page. */
  var numWorkers: number;
}

/** One window, because a software adapter takes nine seconds to segment a window. */
const SECONDS = 9;
const WASM: DiarizerOptions = { backend: 'wasm' };
/** Without the self-check, which would detect the fault before the run. */
const TRUSTED: DiarizerOptions = { backend: 'webgpu', trustGpu: true };
const missing = firefoxWithWebGpu.missing();

describeUnless(missing)('a faulty GPU', () => {
  let browser: StartedBrowser;
  let driver: Driver;
  let server: AppServer;
  let wasm: ShortRun | undefined;
  const page: Evaluator = { evaluate: (body, request) => driver.evaluate(body, request) };
  const injectNext = (fault: GpuFault): void => {
    server.inject(workerOf(fault), faultScript(fault), 'next');
  };
  /** Opens a new page without remembered self-checks that counts its workers. */
  async function openFresh(): Promise<void> {
    await driver.open(server.address + PAGES.engine);
    await waitFor(driver, 'the library', 30, () => 'voxlane' in globalThis);
    await putSamples(page);
    await driver.evaluate(async () => {
      for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name!);
      globalThis.numWorkers = 0;
      const Native = Worker;
      globalThis.Worker = class extends Native {
        constructor(address: string | URL, options?: WorkerOptions) {
          super(address, options);
          globalThis.numWorkers++;
        }
      };
    });
  }
  const numWorkers = (): Promise<number> => driver.evaluate(() => globalThis.numWorkers);

  beforeAll(async () => {
    // Without ONNX Runtime, which would otherwise be tried after our kernels, for minutes.
    server = await serveApp({ 'ort/ort.webgpu.min.mjs': new TextEncoder().encode('throw new Error("not in this test")') });
    browser = await startBrowser(firefoxWithWebGpu);
    driver = browser.driver;
  });
  beforeEach(async () => {
    await openFresh();
    // Run before any fault is injected.
    wasm ??= await runShort(page, WASM, SECONDS);
    expect(wasm.turns.length).toBeGreaterThan(0);
  });
  afterAll(async () => {
    await browser.end();
    await server.end();
  });

  it('the device is destroyed in the embedding: the same turns', async () => {
    injectNext({ stage: 'embedding', kind: 'lost' });
    const before = await numWorkers();
    const run = await runShort(page, TRUSTED, SECONDS);
    expect(run.backend.name).toBe('webgpu');
    expect(run.rttm).toBe(wasm!.rttm);
    // Decoding, segmentation, embedding, clustering, and the restarted worker.
    expect((await numWorkers()) - before).toBe(5);
  });

  /**
   * Runs two seconds with a CAM++ of unknown hash, for which WASM is the reference, because it has no golden outputs. A
   * description is appended to the shipped file (field 6 of ModelProto). firefoxGpu.test.ts runs ResNet34, which takes
   * twice as long, and CAM++ on a working GPU.
   */
  const runForeign = (): Promise<{ readonly backend: DiarizationResult['backend']; readonly turns: DiarizationResult['turns'] }> =>
    driver.evaluate(async () => {
      const model = await (await fetch('/models/campplus-zh-en/model.onnx')).arrayBuffer();
      const modelFile = new File([model, Uint8Array.of(0x32, 1, 0x78)], 'mine.onnx');
      const speech = librarySamples.slice(8 * 16_000, 10 * 16_000);
      const diarizer = await voxlane.Diarizer.create({ preset: 'campplus', backend: 'webgpu', modelFile, trustUnknownModel: true });
      const { backend, turns } = await diarizer.diarize(speech, { sampleRate: 16_000 });
      diarizer.dispose();
      return { backend, turns };
    });

  it('a model file of unknown hash is compared with WASM: a GPU that is wrong only for this file fails', async () => {
    injectNext({ stage: 'embedding', kind: 'perturb' });
    const { backend, turns } = await runForeign();
    expect(backend.name).toBe('wasm');
    // The planted difference, so the GPU agrees with WASM otherwise.
    expect(backend.reason).toContain('stage embedding deviates by 0.250');
    expect(turns.length).toBeGreaterThan(0);
  });
});
