/**
 * Measures the time of every node of a graph with ONNX Runtime's profiler.
 *
 * In browsers, the profiler cannot write to a file. Instead, it prints its trace (Chrome's trace format, one event per line)
 * to the console at the end of the session. On WebGPU, it also times every kernel on the GPU if the device has the feature
 * `timestamp-query`.
 */
import { VoxlaneError } from '../../src/util/errors';
import { loadRuntime, webgpuProvider, type RuntimeOptions } from '../../src/ort/runtime';
import { type Feed, toRuntimeArray } from '../../src/ort/session';

export interface ProfileOptions extends RuntimeOptions {
  /** WebGPU device; timing kernels requires its feature `timestamp-query`. Null for WASM. */
  readonly device: GPUDevice | null;
  readonly numRuns: number;
}

export interface SessionProfile {
  /** Events of the trace in order, each a line of JSON. */
  readonly lines: readonly string[];
  /** Wall time of each run in milliseconds. The first runs are warm-up. */
  readonly runMs: readonly number[];
}

const EVENT_START = '{"cat"';
const TRACE_END = ']';
/** The trace is printed at the end of the session. On WebGPU, the kernel times must still be read back then. */
const TRACE_TIMEOUT_MS = 20_000;

/** Lines printed by the profiler during {@link profileGraph}; null if it is not recording. */
let trace: string[] | null = null;
let isListening = false;

/**
 * Runs a graph several times with the profiler enabled. Calls must not overlap.
 *
 * @throws VoxlaneError `backend-failed` if there is no trace, because the runtime started before the first call
 */
export async function profileGraph(
  bytes: Uint8Array,
  feeds: ReadonlyMap<string, Feed>,
  options: ProfileOptions,
): Promise<SessionProfile> {
  const { device, numRuns } = options;
  listen();
  const ort = await loadRuntime(device ? 'webgpu' : 'wasm', options);
  const executionProviders = [device ? webgpuProvider(device) : 'wasm'];
  const session = await ort.InferenceSession.create(bytes, { executionProviders, enableProfiling: true });
  const tensors = Object.fromEntries(
    Array.from(feeds, ([name, { data, shape, dtype }]) => [
      name,
      new ort.Tensor(dtype as 'float32', toRuntimeArray(dtype, data, name) as Float32Array, shape),
    ]),
  );
  const runMs: number[] = [];
  try {
    for (let run = 0; run < numRuns; run++) {
      const start = performance.now();
      await session.run(tensors);
      runMs.push(performance.now() - start);
    }
    return { lines: await endTrace(() => { session.endProfiling(); }), runMs };
  } finally {
    await session.release();
  }
}

/** Intercepts the profiler's console output. The runtime uses the console function that exists when it starts. */
function listen(): void {
  if (isListening) return;
  isListening = true;
  const print = console.log.bind(console);
  console.log = (...parts: unknown[]) => {
    const [line] = parts;
    if (trace && typeof line === 'string') trace.push(line);
    else print(...parts);
  };
}

async function endTrace(endProfiling: () => void): Promise<string[]> {
  const lines: string[] = [];
  trace = lines;
  try {
    endProfiling();
    const start = performance.now();
    while (lines.at(-1) !== TRACE_END && performance.now() - start < TRACE_TIMEOUT_MS) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    trace = null;
  }
  const events = lines.filter((line) => line.startsWith(EVENT_START)).map((line) => line.replace(/,\s*$/, ''));
  if (events.length > 0) return events;
  throw new VoxlaneError({
    code: 'backend-failed',
    problem: 'The runtime printed no profile',
    expected: 'a runtime started by the first profile, because the runtime keeps the console function that exists at its start',
    remedy: 'Profile in a separate page or process',
  });
}
