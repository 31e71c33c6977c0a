/** A page with a GPU for tests of the stored verdicts: the results and the calls of its workers. */
import { expect, vi } from 'vitest';
import { type Engine, startEngine } from '../../src/engine/engine';
import { ModelWorker } from '../../src/engine/modelPool';
import type { CheckedDiarizerOptions } from '../../src/engine/options';
import { startTrustedEngine } from '../../src/engine/selfCheck';
import { CAMPPLUS } from '../../src/engine/settings';
import type { ModelCheck } from '../../src/engine/types';
import { runtimeVersion } from '../../src/ort/runtime';
import { VoxlaneError } from '../../src/util/errors';
import { checkOf, type Found, scene, type Stage, stored, wasmPool } from './trustFakes';

/** Seconds of the golden segmentation. */
export const GPU_SECONDS = 0.5;

/** The started engines, in order. */
export const startedKinds = (): string[] =>
  scene.started.map(({ backend, ownKernels }) => (backend === 'wasm' ? 'WASM' : ownKernels ? 'own kernels' : 'ONNX Runtime'));

function pool(model: Stage, ownKernels: boolean): Engine['segmentation'] {
  const isRight = scene.isRuntimeRight && !ownKernels;
  const answer = (found: Found): Promise<ModelCheck> =>
    found instanceof VoxlaneError ? Promise.reject(found) : Promise.resolve(checkOf(model, found, scene.gpuSeconds, 'webgpu'));
  const api = {
    selfCheck: () => {
      scene.calls.push(`selfCheck ${model}`);
      return answer(isRight ? 0.001 : scene.gpu[model]);
    },
    selfCheckWindows: (sizes: number | { windowSamples: number; numWindows: number }) => {
      const numWindows = typeof sizes === 'number' ? sizes : sizes.numWindows;
      if (typeof sizes !== 'number') expect(sizes.windowSamples).toBe(160_000);
      scene.calls.push(`selfCheck ${model} × ${numWindows}`);
      return answer(isRight ? 0.001 : scene.windows[model](numWindows));
    },
    timeBatch: (numWindows: number) => Promise.resolve().then(() => scene.secondsOfBatch(numWindows)),
  };
  return { call: (use: (remote: unknown) => unknown) => use(api) } as never;
}

/** Sets a GPU that works, no stored verdicts, and workers in this thread. The test file mocks the modules first. */
export function resetScene(): void {
  stored.clear();
  Object.assign(scene, {
    gpu: { segmentation: 0.001, embedding: 0.001 },
    windows: { segmentation: () => 0.001, embedding: () => 0.001 },
    sources: null,
    pooling: undefined,
    keptHash: null,
    loadedHash: CAMPPLUS.embedding,
    secondsOfBatch: (numWindows: number) => numWindows,
    gpuSeconds: GPU_SECONDS,
    wasmSeconds: 2,
    calls: [],
    started: [],
    isRuntimeRight: false,
  } satisfies typeof scene);
  vi.mocked(runtimeVersion).mockReset().mockResolvedValue('1');
  const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30, maxComputeWorkgroupStorageSize: 32768, maxComputeInvocationsPerWorkgroup: 256, maxStorageBuffersPerShaderStage: 8 };
  const adapter = { info: { vendor: 'v', architecture: 'a', device: 'd', description: 'a GPU' }, limits };
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) }, userAgent: 'test', hardwareConcurrency: 2 });
  vi.mocked(startEngine).mockImplementation((_options, _settings, backend, _signal, ownKernels = true) => {
    const record: (typeof scene)['started'][number] = { backend: backend.name, ownKernels, terminated: null };
    const poolFor = (model: Stage) => (backend.name === 'wasm' ? wasmPool(model, 'kernels', () => 0.001) : pool(model, ownKernels));
    scene.started.push(record);
    const engine: Partial<Engine> = {
      backend,
      verdictKey: '',
      segmentationModel: CAMPPLUS.segmentation,
      embeddingModel: scene.loadedHash,
      segmentationManifest: { windowSamples: 160_000, largestTensorBytes: 2 ** 20 } as Engine['segmentationManifest'],
      batchWindows: { current: 4 },
      withGoldens: ['segmentation', 'embedding'],
      segmentation: poolFor('segmentation'),
      embedding: poolFor('embedding') as never,
      terminate: (reason) => (record.terminated = reason),
    };
    return Promise.resolve(engine as Engine);
  });
  // The trial on WASM.
  vi.spyOn(ModelWorker.prototype, 'load').mockResolvedValue({} as never);
  vi.spyOn(ModelWorker.prototype, 'call').mockImplementation(() => {
    scene.calls.push('time WASM');
    return Promise.resolve(checkOf('segmentation', 0, scene.wasmSeconds, 'webgpu'));
  });
  vi.spyOn(ModelWorker.prototype, 'terminate').mockReturnValue(undefined);
}

export const options = (changes: Partial<CheckedDiarizerOptions> = {}): CheckedDiarizerOptions =>
  ({ backend: 'webgpu', trustGpu: false, batchWindows: undefined, threads: 2, speed: 'exact', goldensBase: 'https://example.org/', ...changes }) as CheckedDiarizerOptions;

export const start = (changes?: Partial<CheckedDiarizerOptions>): Promise<Engine> => startTrustedEngine(options(changes), CAMPPLUS);
