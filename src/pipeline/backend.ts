import { describeAdapter, requestAdapter } from '../gpu/adapter';
import type { BackendChoice, BackendReport } from './types';

/** The models' matrices are small: more threads than this wait for each other more than they work. */
const MOST_USEFUL_THREADS = 8;

/**
 * Where the models will run here, and why.
 *
 * `auto` takes WebGPU where the browser offers a hardware adapter. A software adapter computes on the CPU, many
 * times slower than WASM does.
 */
export async function chooseBackend(choice: BackendChoice, threads: number | undefined): Promise<BackendReport> {
  const wasm = wasmThreads(threads);
  const onWasm = (why: string): BackendReport => ({
    name: 'wasm',
    adapter: null,
    threads: wasm.count,
    reason: [why, wasm.why].filter(Boolean).join('; '),
  });
  if (choice === 'wasm') return onWasm('WASM was asked for');
  const adapter = await requestAdapter();
  const report = adapter && describeAdapter(adapter);
  if (choice === 'webgpu') {
    // A missing adapter is reported by the worker that needs it, as a typed error.
    return { name: 'webgpu', adapter: report?.name ?? null, threads: 0, reason: 'WebGPU was asked for' };
  }
  if (!report) return onWasm('this browser offers no WebGPU adapter');
  if (report.isSoftware) return onWasm(`the only WebGPU adapter (${report.name}) is software, which is slower`);
  return { name: 'webgpu', adapter: report.name, threads: 0, reason: 'this browser offers a hardware GPU' };
}

function wasmThreads(asked: number | undefined): { count: number; why: string } {
  if (!globalThis.crossOriginIsolated) {
    return { count: 1, why: 'one thread, because the page is not cross-origin isolated' };
  }
  return { count: asked ?? Math.min(navigator.hardwareConcurrency, MOST_USEFUL_THREADS), why: '' };
}
