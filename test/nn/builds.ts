import { setFlagsFromString } from 'node:v8';
import relaxed from 'virtual:kernels/relaxed';
import type { KernelBuild } from '../../src/nn/kernels';

/**
 * Kernel builds supported by this version of Node. Node 20 supports relaxed SIMD (in Chromium since version 114) only with a
 * flag; later versions support it by default.
 */
export function testedBuilds(): readonly KernelBuild[] {
  if (!WebAssembly.validate(relaxed)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (WebAssembly.validate(relaxed)) return ['plain', 'relaxed'];
  console.log(`skipped: the relaxed build of the kernels: Node ${process.version} has no relaxed SIMD`);
  return ['plain'];
}
