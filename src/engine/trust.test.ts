/** Selection of a working backend by stored verdicts of the self-check, with workers and storage in this thread. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import '../../test/engine/trustMocks';
import { checkOf, scene, stored } from '../../test/engine/trustFakes';
import { GPU_SECONDS, resetScene, start } from '../../test/engine/trustScene';
import { runtimeVersion } from '../ort/runtime';
import { VoxlaneError } from '../util/errors';
import { startEngine } from './engine';
import { ModelWorker } from './modelPool';
import { CAMPPLUS } from './settings';
import { forgetGpuChecks, VERDICT_DAYS } from './verdicts';

beforeEach(resetScene);

describe('a GPU that reproduces the golden outputs', () => {
  test('runs, and the verdict is stored', async () => {
    const first = await start();
    expect(first.backend).toMatchObject({ name: 'webgpu', adapter: 'a GPU, v, a' });
    expect(first.backend.reason).toContain('reproduced the golden outputs');
    // Also at the length of a run; golden outputs are shorter.
    expect(scene.calls).toEqual(['selfCheck segmentation', 'selfCheck segmentation × 1', 'selfCheck embedding', 'selfCheck embedding × 1']);
    expect(first.backend.selfCheck?.map(({ model, stages }) => [model, stages.length])).toEqual([['segmentation', 2], ['embedding', 2]]);
    const second = await start();
    expect(second.backend.name).toBe('webgpu');
    expect(scene.calls).toHaveLength(4);
  });

  test('is checked in the batches of a run', async () => {
    scene.gpuSeconds = 0.1;
    scene.secondsOfBatch = (numWindows) => 0.01 + 0.001 * numWindows;
    const engine = await start();
    const { current } = engine.batchWindows;
    expect(current).toBeGreaterThan(1);
    expect(scene.calls).toEqual(['selfCheck segmentation', `selfCheck segmentation × ${current}`, 'selfCheck embedding', `selfCheck embedding × ${current}`]);
    // Batches of another size were not checked.
    scene.calls = [];
    expect((await start({ batchWindows: 3 })).batchWindows.current).toBe(3);
    expect(scene.calls).toContain('selfCheck segmentation × 3');
  });

  test('is checked and used with smaller batches if the tuned ones do not fit one model', async () => {
    scene.gpuSeconds = 0.1;
    scene.secondsOfBatch = (numWindows) => 0.01 + 0.001 * numWindows;
    scene.windows.embedding = (numWindows) => (numWindows > 4 ? new VoxlaneError({ code: 'gpu-memory', problem: 'full' }) : 0.001);
    const engine = await start();
    expect(engine.backend.name).toBe('webgpu');
    expect(engine.batchWindows.current).toBeLessThanOrEqual(4);
    expect(scene.calls.slice(-3)).toEqual([`selfCheck segmentation × ${engine.batchWindows.current}`, 'selfCheck embedding', `selfCheck embedding × ${engine.batchWindows.current}`]);
  });

  test('is timed against WASM if the fastest backend was requested', async () => {
    expect((await start({ backend: 'auto' })).backend.reason).toContain('faster than WASM');
    stored.clear();
    scene.wasmSeconds = GPU_SECONDS / 2;
    scene.calls = [];
    const slower = await start({ backend: 'auto' });
    expect(slower.backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/WASM was faster in a trial: 0\.25 s against 0\.50 s/) as string });
    // The remaining checks are skipped for a GPU that is not used.
    expect(scene.calls).toEqual(['selfCheck segmentation', 'time WASM']);
    expect(scene.started.at(-2)).toMatchObject({ backend: 'webgpu', terminated: expect.any(VoxlaneError) as VoxlaneError });
  });

  test('is timed against all workers of a run on WASM at once', async () => {
    let [running, most] = [0, 0];
    vi.spyOn(ModelWorker.prototype, 'call').mockImplementation(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 0));
      running--;
      return checkOf('segmentation', 0, 1.2, 'webgpu');
    });
    // Four workers with one thread each compute four in 1.2 s: 0.3 s each, and the GPU 0.5 s.
    const { backend } = await start({ backend: 'auto', threads: 8 });
    expect(most).toBe(4);
    expect(backend.reason).toMatch(/WASM was faster in a trial: 0\.30 s against 0\.50 s/);
  });

  test('is timed with its best batch size', async () => {
    scene.gpuSeconds = 0.2;
    scene.wasmSeconds = 0.1;
    // In a batch of 32, a window takes a fifth of the time of a single window.
    scene.secondsOfBatch = (numWindows) => 0.08 + 0.02 * numWindows;
    expect((await start({ backend: 'auto' })).backend.name).toBe('webgpu');
  });

  test('is checked again after the verdict has expired or was deleted', async () => {
    const day = 86_400_000;
    const first = Date.UTC(2026, 0, 1);
    vi.useFakeTimers({ toFake: ['Date'], now: first });
    try {
      await start();
      scene.calls = [];
      vi.setSystemTime(first + (VERDICT_DAYS - 1) * day);
      await start();
      expect(scene.calls).toEqual([]);
      vi.setSystemTime(first + VERDICT_DAYS * day);
      await start();
      expect(scene.calls).toHaveLength(4);
      await forgetGpuChecks();
      await start();
      expect(scene.calls).toHaveLength(8);
      // A clock that was ahead must not delay the expiry of a verdict.
      vi.setSystemTime(first + (VERDICT_DAYS - 3) * day);
      await start();
      expect(scene.calls).toHaveLength(12);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('another file of the embedding model', () => {
  test('is checked separately: a verdict is valid only for the files that ran', async () => {
    await start();
    scene.calls = [];
    scene.loadedHash = 'dropped';
    scene.windows.embedding = () => 0.25;
    const { backend } = await start({ modelFile: new Blob(['weights']) });
    expect(scene.calls).toContain('selfCheck embedding × 1');
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('failed its self-check') as string });
    // Its verdict does not apply to the other file.
    scene.loadedHash = CAMPPLUS.embedding;
    scene.calls = [];
    expect((await start()).backend.name).toBe('webgpu');
    expect(scene.calls).toEqual([]);
  });

  test('is found in the store without starting the GPU', async () => {
    scene.sources = [{ sha256: 'first' }, { sha256: 'second' }];
    scene.keptHash = scene.loadedHash = 'second';
    scene.windows.embedding = () => 0.25;
    await start();
    scene.started = [];
    expect((await start()).backend.name).toBe('wasm');
    expect(scene.started.map(({ backend }) => backend)).toEqual(['wasm']);
  });

  test('is checked even if a different one was expected', async () => {
    scene.sources = [{ sha256: 'first' }, { sha256: 'second' }];
    scene.keptHash = scene.loadedHash = 'first';
    await start();
    scene.calls = [];
    // It was damaged, so the next one was fetched.
    scene.loadedHash = 'second';
    await start();
    expect(scene.calls).toHaveLength(4);
  });
});

describe('required WebGPU that is not available', () => {
  test.each([
    ['no adapter', null, /has no WebGPU adapter/],
    ['too low a limit', { info: {}, limits: { maxStorageBufferBindingSize: 2 ** 20 } }, /limit that is too low/],
  ])('%s: an error; WASM for auto', async (_, adapter, problem) => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) }, userAgent: 'test', hardwareConcurrency: 2 });
    await expect(start()).rejects.toMatchObject({ code: 'backend-unavailable', problem: expect.stringMatching(problem) as string });
    const { backend } = await start({ backend: 'auto' });
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(problem) as string });
  });

  test('is an error if the adapter is lost after planning', async () => {
    vi.mocked(startEngine).mockRejectedValueOnce(new VoxlaneError({ code: 'backend-unavailable', problem: 'gone' }));
    await expect(start()).rejects.toMatchObject({ code: 'backend-unavailable' });
  });
});

describe("ONNX Runtime's script", () => {
  test('is not fetched if our own kernels compute both models, and a page may omit it', async () => {
    vi.mocked(runtimeVersion).mockRejectedValue(new VoxlaneError({ code: 'model-missing', problem: 'no script' }));
    expect((await start()).backend.name).toBe('webgpu');
    expect(runtimeVersion).not.toHaveBeenCalled();
  });

  test('is fetched if our own kernels are wrong', async () => {
    scene.gpu.segmentation = 0.25;
    await start();
    expect(runtimeVersion).toHaveBeenCalledTimes(1);
  });

  test('of another version needs new checks if it computes one of the models', async () => {
    scene.pooling = 'statistics';
    await start();
    vi.mocked(runtimeVersion).mockResolvedValue('2');
    await start();
    expect(scene.calls).toHaveLength(8);
  });
});
