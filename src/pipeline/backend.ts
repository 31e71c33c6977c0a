import { VoxlaneError } from '../util/errors';
import { adapterName, missingLimit, requestAdapter } from '../gpu/adapter';
import type { BackendChoice } from './types';

/** A page is not alone on the machine, and each worker takes memory. */
const MOST_USEFUL_THREADS = 8;

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
  return Math.min(hardwareConcurrency, MOST_USEFUL_THREADS);
}

/** Chromium names WebKit too. Every browser on iOS is WebKit, Chrome (`CriOS/`) included. */
function isWebKit(userAgent: string): boolean {
  return userAgent.includes('AppleWebKit/') && !/Chrom(e|ium)\//.test(userAgent);
}
