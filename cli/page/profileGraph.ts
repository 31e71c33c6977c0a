/**
 * Time of every node of a graph, as ONNX Runtime's own profiler measures it.
 *
 * In browsers the profiler has no file to write to: its trace (Chrome's trace format, one event a line) goes to the
 * console at the end of the session. On WebGPU it also times every kernel on the GPU, where the device has the feature
 * `timestamp-query`.
 */
import { VoxlaneError } from '../../src/util/errors';
import { loadRuntime, webgpuProvider, type RuntimeOptions } from '../../src/ort/runtime';
import { type Feed, toRuntimeArray } from '../../src/ort/session';

export interface ProfileOptions extends RuntimeOptions {
  /** Device to run on, with the feature `timestamp-query` for the times of kernels; null for WASM. */
  readonly device: GPUDevice | null;
  readonly numRuns: number;
}

export interface SessionProfile {
  /** Events of the trace, each a line of JSON, in the order of the file. */
  readonly lines: readonly string[];
  /** Time of each run as the caller sees it, in milliseconds. The first ones warm up. */
  readonly runMs: readonly number[];
}

const EVENT_START = '{"cat"';
const TRACE_END = ']';
/** The trace is printed when the session ends; on WebGPU the kernels' times are still read back then. */
const TRACE_TIMEOUT_MS = 20_000;

/** Lines that the profiler has printed since {@link profileGraph} asked for them; null while nobody listens. */
let trace: string[] | null = null;
let isListening = false;

/**
 * Runs a graph some times with the profiler on. One call at a time.
 *
 * @throws VoxlaneError `backend-failed` where no trace came: the runtime had been started before the first call here
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

/** Takes the profiler's lines out of the console. The runtime keeps the console's function from its start on. */
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
    expected: 'a runtime that starts with the first profile, because it keeps the console that it finds then',
    remedy: 'Profile in a page or process of its own',
  });
}
