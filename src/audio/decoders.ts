/** Decoders in a browser: WebAssembly, and WebCodecs if it has it. In the Node build, `nodeDecoders.ts` replaces this module. */
import type { AudioSample } from 'mediabunny';
import { registerWasmDecoders } from './wasmDecoders';

export { isWasmCodec } from './wasmDecoders';

/** Prepares the decoders, before a file other than WAV is opened. */
export function loadDecoders(): Promise<void> {
  registerWasmDecoders();
  return Promise.resolve();
}

/** Reads one channel of decoded audio as floats. */
export function readPlane(sample: AudioSample, planeIndex: number, plane: Float32Array): void {
  sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
}
