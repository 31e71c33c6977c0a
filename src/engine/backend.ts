import { adapterName, isSoftware, maxBindingBytes, missingLimit, requestAdapter, whyNoAdapter } from '../gpu/adapter';
import { VoxlaneError } from '../util/errors';
import { coreCount, HOST, threadLimit, userAgent } from '../util/host';
import { MAX_WINDOWS } from './optionSchema';
import type { Speed } from './settings';
import type { BackendChoice } from './types';

/** Limited because other programs need the machine too, and each worker takes memory. */
const MAX_USEFUL_THREADS = 8;

/**
 * WebKit hides the number of cores against fingerprinting: it reports 8 for 8 and more, and 4 for any lower number, even for
 * one core. If it restricts a script that it counts as a tracker, newer versions report a random number from 1 to 63
 * (Source/WebCore/page/NavigatorBase.cpp, `hardwareConcurrency`; WebKitGTK 2.50 reports 4 on two cores). Only its 8 is
 * therefore used, and any other number means 1 to 7 cores.
 */
const WEBKIT_KNOWN_CORES = 8;
/**
 * A compromise, because no other interface reports the cores. On two cores, the third worker computes no faster and costs its
 * memory. On four, a core remains for the page. Phones have six, and two workers would use only a third of them.
 */
const THREADS_IF_UNKNOWN = 3;

/** The planned backend, before any check. */
export interface BackendPlan {
  readonly name: 'webgpu' | 'wasm';
  /** Processor cores for WASM, also if WASM is only the fallback for the GPU. */
  readonly threads: number;
  /** The reason, as a sentence for users. */
  readonly reason: string;
  /** Adapter properties, which identify it across visits. Null if there is none. */
  readonly adapter: {
    readonly name: string;
    readonly identity: string;
    readonly limits: GPUSupportedLimits;
    /** Whether the adapter computes on the processor, as far as the browser reveals it. */
    readonly isSoftware: boolean;
  } | null;
}

/**
 * Plans WebGPU if there is an adapter that can run the models. Later checks test whether it is correct and fast.
 *
 * @throws VoxlaneError `backend-unavailable` if `webgpu` was requested and no adapter can run the models
 */
export async function planBackend(choice: BackendChoice, threads: number | undefined): Promise<BackendPlan> {
  const count = wasmThreads(threads);
  const planWasm = (why: string): BackendPlan => ({
    name: 'wasm',
    threads: count,
    reason: why,
    adapter: null,
  });
  if (choice === 'wasm') return planWasm('WASM was requested');
  const without = (why: string): BackendPlan => {
    if (choice === 'webgpu') throw unavailable(why);
    return planWasm(why);
  };
  const adapter = await requestAdapter();
  if (!adapter) return without(`${HOST} ${await whyNoAdapter()}`);
  const name = adapterName(adapter);
  const limit = missingLimit(adapter);
  if (limit) return without(`the WebGPU adapter (${name}) has a limit that is too low: ${limit}`);
  const { vendor, architecture, device, description } = adapter.info;
  return {
    name: 'webgpu',
    threads: count,
    reason: choice === 'webgpu' ? 'WebGPU was requested' : '',
    adapter: { name, identity: [vendor, architecture, device, description].join('|'), limits: adapter.limits, isSoftware: isSoftware(adapter) },
  };
}

function unavailable(why: string): VoxlaneError {
  return new VoxlaneError({
    code: 'backend-unavailable',
    problem: `WebGPU was requested, but ${why}`,
    expected: `a GPU and driver that ${HOST} allows for WebGPU`,
    remedy: 'Use the backend `auto` or `wasm`',
  });
}

/** Adds to the reason that sessions have one thread each, if the page is not cross-origin isolated. */
export function wasmReason(why: string): string {
  const limit = threadLimit();
  return limit === null ? why : `${why}; ${limit}`;
}

/** Processor cores for WASM: as requested, or as reported by the browser within bounds. */
export function wasmThreads(asked: number | undefined): number {
  if (asked !== undefined) return asked;
  const cores = coreCount();
  if (isWebKit(userAgent()) && cores !== WEBKIT_KNOWN_CORES) return THREADS_IF_UNKNOWN;
  return Math.min(cores, MAX_USEFUL_THREADS);
}

/** Chromium's user agent names WebKit too. All browsers on iOS use WebKit, including Chrome (`CriOS/`). */
function isWebKit(userAgent: string): boolean {
  return userAgent.includes('AppleWebKit/') && !/Chrom(e|ium)\//.test(userAgent);
}

/** Workers of one stage, and the threads of each worker. */
interface PoolSize {
  readonly workers: number;
  readonly threads: number;
}

/** Distribution of the processor cores to the stages. */
interface WorkerPlan {
  readonly segmentation: PoolSize;
  readonly embedding: PoolSize;
}

/** Maximum number of workers of one stage. */
const MAX_WORKERS = 8;

/**
 * Plans workers for `cores` cores on WASM. There can be more workers than cores, but at most `cores` workers compute at
 * the same time, for whichever stage has work. Embedding takes three quarters of an exact run, and half of a fast run.
 *
 * @param isolated whether a session can have threads
 * @param maxEmbedders maximum number of embedding workers, limited by memory
 */
export function planWorkers(cores: number, speed: Speed, isolated: boolean, maxEmbedders = MAX_WORKERS): WorkerPlan {
  return {
    segmentation: workersFor(speed === 'fast' ? cores : Math.ceil(cores / 2), isolated, MAX_WORKERS),
    embedding: workersFor(cores, isolated, maxEmbedders),
  };
}

/** One worker per core; above the maximum number of workers, several threads per worker. */
function workersFor(cores: number, isolated: boolean, most: number): PoolSize {
  const workers = Math.min(cores, most);
  return { workers, threads: isolated ? Math.floor(cores / workers) : 1 };
}

/** On a GPU, one worker of each stage uses the device; its thread only submits the work. */
export const GPU_WORKERS: WorkerPlan = {
  segmentation: { workers: 1, threads: 1 },
  embedding: { workers: 1, threads: 1 },
};

/** A window that takes this long alone does not gain from batching. */
const SLOW_WINDOW_SECONDS = 0.5;
/** Doubling ends if a window becomes less than this fraction cheaper. */
const WORTHWHILE_GAIN = 0.1;

/** Number of windows that fit: the largest tensor of a batch must be bindable. */
export function windowsThatFit(limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>, bytesPerWindow: number): number {
  const bytes = maxBindingBytes(limits);
  return Math.max(1, Math.min(MAX_WINDOWS, Math.floor(bytes / bytesPerWindow)));
}

/**
 * Finds the batch size with the lowest cost per window, by doubling while the cost drops.
 *
 * @param most maximum number of windows that fit
 * @param secondsOf measures a batch; may throw if the batch is too large
 */
export async function findBatchSize(most: number, secondsOf: (numWindows: number) => Promise<number>): Promise<number> {
  let best = 1;
  let bestPerWindow = await secondsOf(1);
  for (let size = 2; size <= most && bestPerWindow < SLOW_WINDOW_SECONDS; size *= 2) {
    const perWindow = (await secondsOf(size)) / size;
    if (perWindow > bestPerWindow * (1 - WORTHWHILE_GAIN)) break;
    best = size;
    bestPerWindow = perWindow;
  }
  return best;
}

/** Whether a batch was too large for the GPU's memory. */
export function isMemoryError(error: unknown): boolean {
  return error instanceof VoxlaneError && error.code === 'gpu-memory';
}

/**
 * Runs `work` on `numWindows` windows; if memory is insufficient, on the halves in turn. Halves that do not fit are
 * halved again; if a single window does not fit, the memory error is thrown.
 *
 * @param work computes windows `[from, to)`
 */
export async function halvedToFit(
  numWindows: number,
  size: { current: number },
  isMemoryError: (error: unknown) => boolean,
  work: (from: number, to: number) => Promise<void>,
): Promise<void> {
  let from = 0;
  while (from < numWindows) {
    const to = Math.min(from + size.current, numWindows);
    try {
      await work(from, to);
      from = to;
    } catch (error) {
      if (to - from === 1 || !isMemoryError(error)) throw error;
      // Kept for the life of the engine: a batch that did not fit now will not fit later.
      size.current = Math.max(1, Math.floor((to - from) / 2));
    }
  }
}
