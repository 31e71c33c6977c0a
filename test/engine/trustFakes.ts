/** Fakes for tests of the self-check: in-memory storage and checks without a model. */
import type { Engine } from '../../src/engine/engine';
import type { ModelCheck } from '../../src/engine/types';
import { VoxlaneError } from '../../src/util/errors';

/** Remembered values. */
export const stored = new Map<string, unknown>();

/** Replaces `src/engine/remember`. */
export const storage = {
  recall: ((key: string, isValue: (value: unknown) => boolean) => {
    const value = stored.get(key);
    return Promise.resolve(isValue(value) ? value : null);
  }) as never,
  remember: (key: string, value: unknown): Promise<void> => {
    stored.set(key, structuredClone(value));
    return Promise.resolve();
  },
  forget: (prefix: string): Promise<void> => {
    for (const key of stored.keys()) if (key.startsWith(prefix)) stored.delete(key);
    return Promise.resolve();
  },
};

/** Outcome of a check: the maximum difference or an error. Differences up to 0.01 pass. */
export type Found = number | VoxlaneError;
export type Stage = 'segmentation' | 'embedding';

/** A check with a single stage, the last one of the model. */
export function checkOf(model: string, maxAbs: number, seconds: number, backend: ModelCheck['backend']): ModelCheck {
  const passed = maxAbs <= 0.01;
  const stage = model === 'segmentation' ? 'classifier' : 'embedding';
  return { model, backend, seconds, passed, stages: [{ stage, maxAbs, cosine: 1, passed, tolerance: { maxAbs: 0.01, cosine: 0.999 } }] };
}

/** WASM workers of a model whose self-check returns `selfCheck()`. */
export function wasmPool(model: Stage, backend: 'kernels' | 'wasm', selfCheck: () => Found): Engine['segmentation'] {
  const api = {
    selfCheck: () => {
      const found = selfCheck();
      return found instanceof VoxlaneError ? Promise.reject(found) : Promise.resolve(checkOf(model, found, 0.1, backend));
    },
  };
  return { call: (use: (remote: unknown) => unknown) => use(api) } as never;
}

/** Whether each check of an engine passed. */
export const outcomesOf = ({ backend }: Engine): unknown => backend.selfCheck?.map((check) => [check.model, check.backend, check.passed]);

interface Scene {
  /** Results of the self-check on the GPU, by model. */
  gpu: Record<Stage, Found>;
  /** The GPU's results for batches, by number of windows. */
  windows: Record<Stage, (numWindows: number) => Found>;
  /** Kind of pooling of the embedding model. ONNX Runtime computes the network before statistics pooling. */
  pooling: 'statistics' | undefined;
  /** Files of a downloadable embedding model, and the hash of the stored one. */
  sources: { sha256: string }[] | null;
  keptHash: string | null;
  /** SHA-256 of the embedding model file that the engine loads. */
  loadedHash: string;
  /** Seconds of a batch of this size on the GPU. */
  secondsOfBatch: (numWindows: number) => number;
  gpuSeconds: number;
  wasmSeconds: number;
  /** Calls of the workers, in order. */
  calls: string[];
  started: { backend: string; ownKernels: boolean; terminated: VoxlaneError | null }[];
  /** Whether ONNX Runtime on the GPU is right although our own kernels are wrong. */
  isRuntimeRight: boolean;
}

/** State of a test of the stored verdicts. `resetScene` of trustScene.ts sets it. */
export const scene = {} as Scene;

/** Replaces `loadManifest` of `src/store/load`. */
export const loadManifest = ((_task: string, id: string) =>
  Promise.resolve({ id, file: { sha256: id }, pooling: scene.pooling, ...(scene.sources && { sources: scene.sources }) })) as never;

/** Replaces `src/store/modelStore`. */
export const modelStore = {
  ModelStore: class {
    find = (): Promise<{ sha256: string } | null> => Promise.resolve(scene.keptHash === null ? null : { sha256: scene.keptHash });
  } as never,
};
