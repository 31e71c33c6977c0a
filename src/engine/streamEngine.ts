import { throwIfAborted } from '../util/abort';
import { planBackend } from './backend';
import type { EngineSource } from './engineLifetime';
import type { CheckedDiarizerOptions } from './options';
import { describeFailure, isGpuTrouble } from './selfCheck';
import type { StreamSettings } from './settings';
import { startStreamOnGpu, startStreamOnWasm, type StreamEngine, type StreamStart } from './streamStart';
import { rememberCheck } from './verdicts';

/**
 * The engines of streamed pipelines. The state of a recording is lost with its worker, so each recovery starts the recording again:
 * after the loss of a device, once on a new one; after wrong values, once on the same GPU, if it passes the self-check; otherwise
 * on WASM. Without a GPU, a failure is final.
 */
export function streamSource(options: CheckedDiarizerOptions, settings: StreamSettings): EngineSource<StreamEngine> {
  const startOf = (signal: AbortSignal): StreamStart => ({ options, settings, signal });
  return {
    hasEnded: ({ decode, sortformer }) => decode.end !== null || sortformer.end !== null,
    start: (signal) => startStreamEngine(startOf(signal)),
    async recover(engine, { error, attempt, end }, signal) {
      const { backend, sortformer, arithmetic, checkKey } = engine;
      if (backend.name !== 'webgpu' || !isGpuTrouble(error)) return null;
      if (error.code === 'gpu-lost' && attempt === 0) {
        end();
        return startStreamEngine(startOf(signal));
      }
      const check = error.code === 'gpu-wrong' ? await sortformer.call((api) => api.selfCheck(arithmetic)).catch(() => null) : null;
      throwIfAborted(signal);
      if (check?.passed === true && attempt === 0) return engine;
      const hasFailed = check?.passed === false;
      if (hasFailed) await rememberCheck(checkKey, check);
      end();
      const objection = hasFailed ? describeFailure([check]) : `WebGPU failed in mid-run (${error.problem})`;
      return startStreamOnWasm(startOf(signal), { objection, checks: check ? [check] : [] });
    },
  };
}

/**
 * Starts the workers and loads the model: on WebGPU if there is an adapter that passes the checks, otherwise on WASM.
 *
 * @throws VoxlaneError `backend-unavailable` if WebGPU is required and there is no adapter; `backend-failed` if WASM computes wrong
 *   values; `model-*`, `worker-failed`; `cancelled` if `signal` fires
 */
export async function startStreamEngine(start: StreamStart): Promise<StreamEngine> {
  const { backend, threads, trustGpu } = start.options;
  const plan = await planBackend(backend, threads);
  if (plan.name === 'wasm') return startStreamOnWasm(start, { objection: plan.reason, checks: [] });
  const { adapter } = plan;
  // It would lose the trial against WASM, which takes seconds.
  if (adapter?.isSoftware && backend === 'auto' && !trustGpu) {
    return startStreamOnWasm(start, { objection: `the WebGPU adapter (${adapter.name}) computes on the processor`, checks: [] });
  }
  const started = await startStreamOnGpu(start, plan);
  return 'objection' in started ? startStreamOnWasm(start, started) : started;
}
