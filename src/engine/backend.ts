import { adapterName, missingLimit, requestAdapter } from '../gpu/adapter';
import { VoxlaneError } from '../util/errors';
import { MAX_WINDOWS } from './optionSchema';
import type { Speed } from './settings';
import type { BackendChoice } from './types';

/** A page is not alone on the machine, and each worker takes memory. */
const MAX_USEFUL_THREADS = 8;

/**
 * WebKit rounds the number of cores against fingerprinting: it reports 8 for 8 and more, and 4 for anything below, on one
 * core as well (Source/WebCore/page/NavigatorBase.cpp, `hardwareConcurrency`; WebKitGTK 2.50 reports 4 on two cores).
 * Its 4 therefore means 1 to 7 cores. Three workers keep two cores busy with one worker too many, which costs memory but
 * next to no time, and leave the page a core of four. Two would leave most of a phone's six cores idle.
 */
const WEBKIT_ROUNDED = 4;
const THREADS_IF_ROUNDED = 3;

/** Where the models could run here, before anything was tried. */
export interface BackendPlan {
  readonly name: 'webgpu' | 'wasm';
  /** Processor cores for WASM, also where WASM is only what is left when the GPU fails. */
  readonly threads: number;
  /** One sentence for people. */
  readonly reason: string;
  /** What is known of the adapter; identifies it from one visit to the next. Null where there is none. */
  readonly adapter: { readonly name: string; readonly identity: string; readonly limits: GPUSupportedLimits } | null;
}

/**
 * Plans WebGPU if there is an adapter that can run the models. Later checks show whether it is correct and fast.
 *
 * @throws VoxlaneError `backend-unavailable` if `webgpu` was asked for and no adapter can run the models
 */
export async function planBackend(choice: BackendChoice, threads: number | undefined): Promise<BackendPlan> {
  const count = wasmThreads(threads);
  const planWasm = (why: string): BackendPlan => ({
    name: 'wasm',
    threads: count,
    reason: why,
    adapter: null,
  });
  if (choice === 'wasm') return planWasm('WASM was asked for');
  const without = (why: string): BackendPlan => {
    if (choice === 'webgpu') throw unavailable(why);
    return planWasm(why);
  };
  const adapter = await requestAdapter();
  if (!adapter) return without('this browser offers no WebGPU adapter');
  const name = adapterName(adapter);
  const limit = missingLimit(adapter);
  if (limit) return without(`the WebGPU adapter (${name}) has too low a limit: ${limit}`);
  const { vendor, architecture, device, description } = adapter.info;
  return {
    name: 'webgpu',
    threads: count,
    reason: choice === 'webgpu' ? 'WebGPU was asked for' : '',
    adapter: { name, identity: [vendor, architecture, device, description].join('|'), limits: adapter.limits },
  };
}

function unavailable(why: string): VoxlaneError {
  return new VoxlaneError({
    code: 'backend-unavailable',
    problem: `WebGPU was asked for, but ${why}`,
    expected: 'a GPU and driver that the browser allows for WebGPU',
    remedy: 'Use the backend `auto` or `wasm`',
  });
}

/** Why WASM runs, and that its sessions have one thread each where that is so for want of isolation. */
export function wasmReason(why: string): string {
  return globalThis.crossOriginIsolated ? why : `${why}; one thread a worker, because the page is not cross-origin isolated`;
}

/** Processor cores for WASM: as many as were asked for, or as the browser says the machine has, within bounds. */
export function wasmThreads(asked: number | undefined): number {
  if (asked !== undefined) return asked;
  const { hardwareConcurrency, userAgent } = navigator;
  if (isWebKit(userAgent) && hardwareConcurrency === WEBKIT_ROUNDED) return THREADS_IF_ROUNDED;
  return Math.min(hardwareConcurrency, MAX_USEFUL_THREADS);
}

/** Chromium names WebKit too. Every browser on iOS is WebKit, Chrome (`CriOS/`) included. */
function isWebKit(userAgent: string): boolean {
  return userAgent.includes('AppleWebKit/') && !/Chrom(e|ium)\//.test(userAgent);
}

/** Workers of one stage, and the threads of each. */
export interface PoolSize {
  readonly workers: number;
  readonly threads: number;
}

/** How the processor's cores are shared out. */
export interface WorkerPlan {
  readonly segmentation: PoolSize;
  readonly embedding: PoolSize;
}

/** Most workers of one stage: a page is not alone on the machine. */
const MAX_WORKERS = 8;

/**
 * Workers for `cores` cores on WASM. There may be more workers than cores, of which no more than there are
 * cores work at a time: whichever stage has something to do. Three quarters of an exact run are the embedding; of a fast one, half.
 *
 * @param isolated whether a session may have threads
 * @param mostEmbedders most workers of the embedding, for what each takes of memory
 */
export function planWorkers(cores: number, speed: Speed, isolated: boolean, mostEmbedders = MAX_WORKERS): WorkerPlan {
  return {
    segmentation: workersFor(speed === 'fast' ? cores : Math.ceil(cores / 2), isolated, MAX_WORKERS),
    embedding: workersFor(cores, isolated, mostEmbedders),
  };
}

/** One worker a core; beyond the most workers, threads in each. */
function workersFor(cores: number, isolated: boolean, most: number): PoolSize {
  const workers = Math.min(cores, most);
  return { workers, threads: isolated ? Math.floor(cores / workers) : 1 };
}

/** On a GPU one worker of each stage has the device; its session's thread only feeds it. */
export const GPU_WORKERS: WorkerPlan = {
  segmentation: { workers: 1, threads: 1 },
  embedding: { workers: 1, threads: 1 },
};

/** A window that takes this long alone has nothing to gain from company. */
const SLOW_WINDOW_SECONDS = 0.5;
/** A doubling that makes a window less than this much cheaper ends the search. */
const WORTHWHILE_GAIN = 0.1;

/** Windows that fit: the largest tensor of a batch must be bindable. */
export function windowsThatFit(limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>, bytesPerWindow: number): number {
  const bytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return Math.max(1, Math.min(MAX_WINDOWS, Math.floor(bytes / bytesPerWindow)));
}

/**
 * The batch size at which a window costs least, by doubling while that pays.
 *
 * @param most windows that fit
 * @param secondsOf measures a batch; may throw for one that is too large after all
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

/**
 * Runs `work` on `numWindows` windows, and where memory does not allow that many, on the halves in turn. Halves that
 * do not fit are halved again; a single window that does not fit is the error that `isMemoryError` knows.
 *
 * @param work takes windows `[from, to)`
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
      // Kept for as long as the engine: what did not fit now will not fit in the next batch.
      size.current = Math.max(1, Math.floor((to - from) / 2));
    }
  }
}
