/** Codecs that WebAssembly decodes everywhere, so that the samples depend on the file only. */
import { type AudioCodec, registerDecoder } from 'mediabunny';
import { Mp3InWasm } from './mp3InWasm';
import { OpusInWasm } from './opusInWasm';

const DECODERS = [Mp3InWasm, OpusInWasm];

let isRegistered = false;

/** Makes mediabunny use the decoders. They load their code when the first recording needs it. */
export function registerWasmDecoders(): void {
  if (!isRegistered) DECODERS.forEach((decoder) => { registerDecoder(decoder); });
  isRegistered = true;
}

/** @param codec mediabunny's name */
export const isWasmCodec = (codec: AudioCodec | null): boolean => codec !== null && DECODERS.some((decoder) => decoder.supports(codec));
