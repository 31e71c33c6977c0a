/** What runs after a GPU failed its self-check, and what is stored, with workers and storage in this thread. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import '../../test/engine/trustMocks';
import { outcomesOf, scene, stored, wasmPool } from '../../test/engine/trustFakes';
import { options, resetScene, start, startedKinds } from '../../test/engine/trustScene';
import { VoxlaneError } from '../util/errors';
import { startEngine } from './engine';
import { ModelWorker } from './modelPool';
import { checkAgain, startTrustedEngine } from './selfCheck';
import { CAMPPLUS } from './settings';

beforeEach(resetScene);

describe('a GPU that computes wrong values', () => {
  test.each([
    ['segmentation', 'classifier'],
    ['embedding', 'embedding'],
  ] as const)('in the %s model is not used, now and at the next start', async (model, stage) => {
    scene.gpu[model] = 0.25;
    for (let visit = 0; visit < 2; visit++) {
      const { backend } = await start();
      expect(backend.name).toBe('wasm');
      expect(backend.reason).toMatch(new RegExp(`failed its self-check: stage ${stage} deviates by 0\\.250, tolerance 0\\.01`));
      expect(backend.selfCheck?.some(({ passed }) => !passed)).toBe(true);
    }
    // First our own kernels, then ONNX Runtime. The second start did not try the GPU again.
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'WASM', 'WASM']);
    expect(scene.started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test('with our own kernels only runs with ONNX Runtime, now and at the next start', async () => {
    scene.windows.embedding = () => 0.25;
    scene.isRuntimeRight = true;
    for (let visit = 0; visit < 2; visit++) {
      const { backend } = await start();
      expect(backend.name).toBe('webgpu');
      expect(backend.reason).toMatch(/ONNX Runtime computes the models: WebGPU failed its self-check: stage embedding/);
      expect(backend.selfCheck?.every(({ passed }) => passed)).toBe(true);
    }
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'ONNX Runtime']);
    expect(scene.started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test.each([
    ['is missing', 'model-missing', 'no script'],
    ['cannot be started', 'backend-failed', 'no session'],
  ] as const)('with our own kernels is not used if ONNX Runtime %s, and both reasons and the failed checks are reported', async (_, code, problem) => {
    scene.gpu.segmentation = 0.25;
    const working = vi.mocked(startEngine).getMockImplementation()!;
    vi.mocked(startEngine).mockImplementation((...parameters) =>
      parameters[2].name === 'webgpu' && parameters[4] === false ? Promise.reject(new VoxlaneError({ code, problem })) : working(...parameters));
    const { backend } = await start();
    expect(backend.name).toBe('wasm');
    expect(backend.reason).toMatch(new RegExp(`stage classifier deviates by 0\\.250.*${problem}`));
    expect(backend.selfCheck?.some(({ passed }) => !passed)).toBe(true);
  });

  test.each([NaN, Number.MAX_VALUE])('that are not finite (%d) with our own kernels only runs with ONNX Runtime, now and at the next start', async (maxAbs) => {
    scene.gpu.embedding = maxAbs;
    scene.isRuntimeRight = true;
    for (let visit = 0; visit < 2; visit++) {
      const { backend } = await start();
      expect(backend.name).toBe('webgpu');
      expect(backend.reason).toMatch(/ONNX Runtime computes the models: WebGPU failed its self-check: embedding/);
    }
    // The verdict on our own kernels was stored.
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'ONNX Runtime']);
  });

  test.each([
    ['gpu-wrong', 'contains only zeros'],
    ['backend-failed', 'is invalid'],
  ] as const)('with our own kernels only while batches are timed (%s) runs with ONNX Runtime', async (code, problem) => {
    scene.gpuSeconds = 0.1;
    const refuse = () => {
      if (scene.started.at(-1)!.ownKernels) throw new VoxlaneError({ code, problem });
      return 1;
    };
    scene.secondsOfBatch = refuse;
    scene.isRuntimeRight = true;
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining(problem) as string });
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime']);
    expect(scene.started[0]?.terminated).toMatchObject({ code });
  });

  test('on WASM too fails after one try of each candidate', async () => {
    scene.gpu.segmentation = 0.25;
    const working = vi.mocked(startEngine).getMockImplementation()!;
    vi.mocked(startEngine).mockImplementation(async (...parameters) => {
      const engine = await working(...parameters);
      return parameters[2].name === 'wasm' ? { ...engine, segmentation: wasmPool('segmentation', 'wasm', () => 0.25) } : engine;
    });
    await expect(start()).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('WASM returns wrong results') as string });
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime', 'WASM']);
  });

  test.each(['segmentation', 'embedding'] as const)('only in batches, or only at full length, in the %s model, is not used', async (model) => {
    scene.gpuSeconds = 0.1;
    scene.secondsOfBatch = (numWindows) => 0.01 + 0.001 * numWindows;
    scene.windows[model] = (numWindows) => (numWindows >= 2 ? 0.25 : 0.001);
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('deviates by 0.250') as string });
    // In batches of one, it is correct and may run.
    expect((await start({ batchWindows: 1 })).backend.name).toBe('webgpu');
  });

  test('is stored if it occurs during a run', async () => {
    const engine = await start();
    scene.gpu.segmentation = 1;
    const checks = await checkAgain(engine, options());
    // Checks after the first failure are skipped.
    expect(checks.map(({ passed }) => passed)).toEqual([false]);
    expect((await start()).backend.name).toBe('wasm');
  });

  test('runs without a check if the caller trusts it', async () => {
    scene.gpu.segmentation = 1;
    const { backend } = await start({ trustGpu: true });
    expect(backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining('without a self-check') as string, selfCheck: null });
    expect(scene.calls).toEqual([]);
    expect(stored.size).toBe(0);
  });
});

describe('a GPU that cannot be checked', () => {
  test.each(['gpu-lost', 'gpu-memory', 'backend-failed', 'model-missing', 'format'] as const)('%s: WASM runs, and the report has the reason', async (code) => {
    scene.gpu.embedding = new VoxlaneError({ code, problem: 'no luck' });
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('no luck') as string });
    // Nothing about the GPU is stored.
    expect([...stored.keys()].filter((key) => !key.startsWith('verdict WASM'))).toEqual([]);
    // ONNX Runtime needs more memory, a lost device may be lost again, and golden outputs are missing for it too.
    expect(startedKinds()).toEqual(code === 'backend-failed' ? ['own kernels', 'ONNX Runtime', 'WASM'] : ['own kernels', 'WASM']);
  });

  test('with our own kernels only runs with ONNX Runtime', async () => {
    scene.gpu.embedding = new VoxlaneError({ code: 'backend-failed', problem: 'no luck' });
    scene.isRuntimeRight = true;
    const { backend } = await start();
    expect(backend).toMatchObject({ name: 'webgpu', reason: expect.stringContaining('no luck') as string });
    expect(startedKinds()).toEqual(['own kernels', 'ONNX Runtime']);
  });

  test('fails for other errors', async () => {
    scene.gpu.embedding = new VoxlaneError({ code: 'model-altered', problem: 'another file' });
    await expect(start()).rejects.toMatchObject({ code: 'model-altered' });
    expect(scene.started[0]?.terminated).toBeInstanceOf(VoxlaneError);
  });

  test('ends its workers if the caller aborts', async () => {
    const controller = new AbortController();
    vi.spyOn(ModelWorker.prototype, 'load').mockImplementation(() => new Promise((resolve) => {
      controller.abort();
      resolve({} as never);
    }));
    await expect(startTrustedEngine(options({ backend: 'auto' }), CAMPPLUS, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(scene.started[0]?.terminated).toMatchObject({ code: 'cancelled' });
  });
});

test('the WASM kernels are checked after a GPU failure, and both checks are reported', async () => {
  scene.gpu.segmentation = 0.25;
  const engine = await start();
  expect(outcomesOf(engine)).toEqual([['segmentation', 'webgpu', false], ['segmentation', 'kernels', true], ['embedding', 'kernels', true]]);
  expect(engine.backend.reason).toMatch(/^WebGPU failed its self-check: stage classifier/);
});
