import { setFlagsFromString } from 'node:v8';
import relaxed from 'virtual:kernels/relaxed';
import type { KernelBuild } from '../../src/nn/kernels';

/**
 * The builds that this Node runs. Node 20 knows relaxed SIMD, as Chromium does since version 114, but has it behind a
 * flag; later ones have it without.
 */
export function testedBuilds(): readonly KernelBuild[] {
  if (!WebAssembly.validate(relaxed)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (WebAssembly.validate(relaxed)) return ['plain', 'relaxed'];
  console.log(`skipped: the relaxed build of the kernels: Node ${process.version} has no relaxed SIMD`);
  return ['plain'];
}
