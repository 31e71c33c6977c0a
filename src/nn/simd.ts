import { enableRelaxedSimd } from '../util/host';

/**
 * A function with one `f32x4.relaxed_madd`, to detect support for the `relaxed` build of the kernels. Only the
 * workers contain the builds themselves.
 */
const RELAXED = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
  ...[1, 8, 1, 0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b], // type (v128, v128, v128) → v128
  ...[3, 2, 1, 0], // one function of it
  ...[10, 13, 1, 11, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfd, 0x85, 0x02, 0x0b], // local.get 0, 1, 2; f32x4.relaxed_madd; end
);

/** Whether this browser uses the `relaxed` build of the kernels. */
export function hasRelaxedSimd(): boolean {
  enableRelaxedSimd();
  return WebAssembly.validate(RELAXED);
}
