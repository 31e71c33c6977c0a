/**
 * A GPU with all known kinds of driver faults. In Firefox, because its software adapter is several times faster than
 * Chromium's. test/full/gpuModels.test.ts covers each kind of fault in the segmentation.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultScript, workerOf, type GpuFault } from '../../test/browser/gpuFaults';
import { runShort, type ShortRun } from '../../test/browser/gpu';
import { putSamples } from '../../test/browser/samples';
import type { Evaluator } from '../../test/browser/evaluator';
import type { DiarizationResult, DiarizerOptions, StageOptions } from '../../src/index';
import type { Driver } from './driver';
import { firefoxWithWebGpu } from './drivers/firefox';
import { PAGES } from './pages';
import { serveApp, type AppServer } from './servers';
import { waitFor } from './waiting';

declare global {
  /** Number of workers started by the page. */
  var numWorkers: number;
}

/** Runs in a worker and reports the number of live GPU buffers. */
function answerWithBuffers(): void {
  const alive = new Set<GPUBuffer>();
  /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    alive.add(buffer);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    alive.delete(this);
    destroy.call(this);
  };
  const channel = new BroadcastChannel('buffers');
  channel.onmessage = () => {
    channel.postMessage(alive.size);
  };
}

const WASM: DiarizerOptions = { backend: 'wasm' };
/** Without the self-check, which would detect the fault before the run. */
const TRUSTED: DiarizerOptions = { backend: 'webgpu', trustGpu: true };
const missing = firefoxWithWebGpu.missing();

describe.skipIf(missing !== null)(missing === null ? 'a faulty GPU' : `a faulty GPU [${missing}]`, () => {
  let driver: Driver;
  let server: AppServer;
  let sound: ShortRun | undefined;
  const page: Evaluator = { evaluate: (body, request) => driver.evaluate(body, request) };
  const inject = (fault: GpuFault, workers: 'next' | 'all'): void => {
    server.inject(workerOf(fault), faultScript(fault), workers);
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
    server = await serveApp();
    driver = await firefoxWithWebGpu.start('.');
  });
  beforeEach(async () => {
    await openFresh();
    // Run before any fault is injected.
    sound ??= await runShort(page, WASM);
    expect(sound.turns.length).toBeGreaterThan(0);
  });
  afterAll(async () => {
    await driver.close();
    await server.end();
  });

  it.each(['segmentation', 'embedding'] as const)('the device is destroyed in the %s: the same turns', async (stage) => {
    inject({ stage, kind: 'lost', afterRuns: stage === 'segmentation' ? 1 : 0 }, 'next');
    const before = await numWorkers();
    const run = await runShort(page, TRUSTED);
    expect(run.backend.name).toBe('webgpu');
    expect(run.rttm).toBe(sound!.rttm);
    // Decoding, segmentation, embedding, clustering, and the restarted worker.
    expect((await numWorkers()) - before).toBe(5);
  });

  it('a repeatedly lost device is no longer used', async () => {
    inject({ stage: 'segmentation', kind: 'lost' }, 'all');
    const run = await runShort(page, TRUSTED);
    expect(run.backend.name).toBe('wasm');
    expect(run.backend.reason).toMatch(/device was lost/);
    expect(run.rttm).toBe(sound!.rttm);
  });

  it('embeddings of zeros: the run continues with WASM', async () => {
    inject({ stage: 'embedding', kind: 'zeros' }, 'all');
    const run = await runShort(page, TRUSTED);
    expect(run.backend.name).toBe('wasm');
    expect(run.backend.reason).toMatch(/embedding contains only zeros/);
    expect(run.rttm).toBe(sound!.rttm);
  });

  it.each([
    ['only for windows of 10 s', { stage: 'segmentation', kind: 'perturb', fromBytes: 116 * 7 * 4 }, 'classifier (1 × 10 s)'],
    ['in the filterbank', { stage: 'fbank', kind: 'perturb' }, 'fbank'],
  ] as const)('the self-check detects wrong values %s and names the stage', async (_, fault, stage) => {
    inject(fault, 'next');
    const run = await runShort(page, { backend: 'webgpu' });
    expect(run.backend.name).toBe('wasm');
    expect(run.backend.reason).toContain(`stage ${stage} deviates by`);
    const failed = run.backend.selfCheck!.flatMap(({ stages }) => stages).filter(({ passed }) => !passed);
    expect(failed[0]!.stage).toBe(stage);
    expect(run.rttm).toBe(sound!.rttm);
  });

  it.each(['segmentation', 'embedding'])('a second run needs no more GPU buffers than the first: %s', async (worker) => {
    server.inject(worker, `(${answerWithBuffers.toString()})();`, 'next');
    const counts = await driver.evaluate(async () => {
      const speech = librarySamples.slice(8 * 16_000, 10 * 16_000);
      const diarizer = await voxlane.Diarizer.create({ backend: 'webgpu', trustGpu: true });
      const channel = new BroadcastChannel('buffers');
      const found: number[] = [];
      for (let run = 0; run < 2; run++) {
        await diarizer.diarize(speech, { sampleRate: 16_000 });
        const answer = new Promise<number>((resolve) => {
          channel.onmessage = ({ data }: MessageEvent<number>) => {
            resolve(data);
          };
        });
        channel.postMessage('count');
        found.push(await answer);
      }
      channel.close();
      diarizer.dispose();
      return found;
    });
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBe(counts[0]);
  });

  it('a stream continues if the GPU has no memory for a single window', async () => {
    inject({ stage: 'segmentation', kind: 'memory' }, 'next');
    const outcome = await driver.evaluate(async () => {
      const speech = librarySamples.slice(8 * 16_000, 10 * 16_000);
      const broken = await voxlane.Diarizer.create({ backend: 'webgpu', trustGpu: true });
      const name = broken.backend?.name;
      const run = await broken.diarize(libraryPieces(speech), { sampleRate: 16_000 });
      broken.dispose();
      const expected = await voxlane.diarize(speech, { sampleRate: 16_000, backend: 'wasm', idleSeconds: 0 });
      return { turns: run.turns, expected: expected.turns, backend: [name, run.backend.name], reason: run.backend.reason };
    });
    expect(outcome.backend).toEqual(['webgpu', 'wasm']);
    expect(outcome.reason).toMatch(/out of memory/);
    expect(outcome.expected.length).toBeGreaterThan(0);
    expect(outcome.turns).toEqual(outcome.expected);
  });

  it('a single stage is repeated on WASM if the GPU fails, and reports this', async () => {
    inject({ stage: 'segmentation', kind: 'nan' }, 'next');
    const outcome = await driver.evaluate(async () => {
      const samples = Float32Array.from({ length: 160_000 }, (__, i) => Math.sin(i * i * 1e-5) / 4);
      const wasm: StageOptions = { backend: 'wasm', preset: 'campplus' };
      const failing = { ...wasm, backend: 'webgpu' as const, trustGpu: true };
      const segmentation = await voxlane.segment(samples, failing);
      const next = await voxlane.embed(samples, segmentation, failing);
      const plain = await voxlane.segment(samples, wasm);
      voxlane.releaseStages();
      return { backends: [segmentation.backend, next.backend], isSame: segmentation.data.join() === plain.data.join() };
    });
    expect(outcome.backends.map(({ name }) => name)).toEqual(['wasm', 'wasm']);
    expect(outcome.backends[0]!.reason).toMatch(/^WebGPU failed its self-check: classifier/);
    expect(outcome.isSame).toBe(true);
  });

  /**
   * Runs two seconds with a CAM++ of unknown hash, for which WASM is the reference, because it has no golden outputs. A
   * description is appended to the shipped file (field 6 of ModelProto). firefoxGpu.test.ts runs ResNet34, which takes
   * twice as long.
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

  it('a model file of unknown hash is compared with WASM: a working GPU passes, one that is wrong only for this file fails', async () => {
    const run = await runForeign();
    expect(run.backend.name).toBe('webgpu');
    expect(run.backend.selfCheck!.flatMap(({ stages }) => stages.map(({ stage }) => stage))).toContain('embedding (10 s)');
    await openFresh();
    inject({ stage: 'embedding', kind: 'perturb' }, 'next');
    const faulty = await runForeign();
    expect(faulty.backend.name).toBe('wasm');
    expect(faulty.backend.reason).toContain('stage embedding deviates by 0.250');
    expect(faulty.turns).toEqual(run.turns);
  });
});
