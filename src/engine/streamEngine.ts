import { proxy } from 'comlink';
import type { SortformerReply } from '../../workers/contracts';
import { spawnDecodeWorker, spawnSortformerWorker } from '../../workers/spawn';
import { cancelled, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { runtimeThreads } from '../util/host';
import { wasmReason, wasmThreads } from './backend';
import type { EngineSource } from './engineLifetime';
import type { CheckedDiarizerOptions } from './options';
import type { StreamSettings } from './settings';
import type { BackendReport } from './types';

/** The workers of a streamed pipeline, with the loaded model. */
export interface StreamEngine extends SortformerReply {
  readonly decode: ReturnType<typeof spawnDecodeWorker>;
  readonly sortformer: ReturnType<typeof spawnSortformerWorker>;
  readonly settings: StreamSettings;
  readonly backend: BackendReport;
  readonly terminate: (reason: VoxlaneError) => void;
}

/** The engines of streamed pipelines. A failure is final: the state of the recording is lost with its worker. */
export function streamSource(options: CheckedDiarizerOptions, settings: StreamSettings): EngineSource<StreamEngine> {
  return {
    hasEnded: ({ decode, sortformer }) => decode.end !== null || sortformer.end !== null,
    start: (signal) => startStreamEngine(options, settings, signal),
    recover: () => Promise.resolve(null),
  };
}

/**
 * Starts the workers and loads the model on WASM, the only backend so far.
 *
 * @throws VoxlaneError `backend-unavailable` if WebGPU is required; `model-*`, `backend-failed`, `worker-failed`; `cancelled` if
 *   `signal` fires
 */
export async function startStreamEngine(options: CheckedDiarizerOptions, settings: StreamSettings, signal?: AbortSignal): Promise<StreamEngine> {
  const { backend, modelsBase, runtimeBase, hub, modelFile, trustUnknownModel, onDownload } = options;
  if (backend === 'webgpu') throw withoutGpu(settings);
  const threads = runtimeThreads(globalThis.crossOriginIsolated ? wasmThreads(options.threads) : 1);
  const workers = { decode: spawnDecodeWorker(), sortformer: spawnSortformerWorker() };
  const terminate = (reason: VoxlaneError): void => {
    for (const worker of Object.values(workers)) worker.terminate(reason);
  };
  const request = { modelId: settings.model, modelsBase, runtimeBase, threads, hub, modelFile, modelName: modelFile instanceof File ? modelFile.name : undefined, trustUnknownModel };
  try {
    return await unlessAborted(signal, async () => {
      const listener = onDownload && proxy((progress: { readonly receivedBytes: number; readonly totalBytes: number }) => { onDownload({ model: settings.model, ...progress }); });
      const reply = await workers.sortformer.call((api) => api.load(request, listener ?? null));
      return { ...workers, ...reply, settings, backend: { name: 'wasm', adapter: null, threads, reason: reasonOf(backend, settings), selfCheck: null }, terminate };
    }, { stop: terminate });
  } catch (error) {
    terminate(error instanceof VoxlaneError ? error : cancelled());
    throw error;
  }
}

function reasonOf(backend: 'auto' | 'wasm', { preset }: StreamSettings): string {
  const why = backend === 'wasm' ? 'WASM was requested' : `${preset} does not run on WebGPU yet`;
  return wasmReason(`${why}; ONNX Runtime computes the model with float32 weights, without a self-check, because there are no golden outputs of this model`);
}

const withoutGpu = ({ preset }: StreamSettings): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-unavailable',
    problem: `WebGPU was requested, but the preset ${preset} does not run on WebGPU yet`,
    expected: 'the backend `auto` or `wasm` with this preset',
    remedy: 'Use the backend `auto` or `wasm`',
  });
