/** Replaces `decoders.ts` in the Node build: WebCodecs from an optional package. */
import type { AudioSample } from 'mediabunny';
import { correctedDecoder } from './correctedDecoder';
import { registerWasmDecoders } from './wasmDecoders';

export { isWasmCodec } from './wasmDecoders';

let loading: Promise<void> | undefined;

/** Loads the decoders, the first time that a file other than WAV is opened. */
export const loadDecoders = (): Promise<void> => (loading ??= load());

async function load(): Promise<void> {
  registerWasmDecoders();
  try {
    const { AudioData, AudioDecoder, EncodedAudioChunk } = await import('@napi-rs/webcodecs');
    Object.assign(globalThis, { AudioData, AudioDecoder: correctedDecoder(AudioDecoder), EncodedAudioChunk });
  } catch {
    // Not installed, or not for this platform. `decodeInstead` uses ffmpeg.
  }
}

/** Integer formats: type, full scale, and value of silence. */
const INTEGERS: Readonly<Record<string, { readonly Samples: Int16ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor; readonly scale: number; readonly zero: number }>> = {
  u8: { Samples: Uint8Array, scale: 2 ** 7, zero: 2 ** 7 },
  s16: { Samples: Int16Array, scale: 2 ** 15, zero: 0 },
  s32: { Samples: Int32Array, scale: 2 ** 31, zero: 0 },
};

/**
 * Reads one channel of decoded audio as floats. Integers are converted here, because `copyTo` of @napi-rs/webcodecs 1.3.1
 * reads 16-bit samples as 32-bit ones and ends the process.
 */
export function readPlane(sample: AudioSample, planeIndex: number, plane: Float32Array): void {
  const integers = INTEGERS[sample.format.replace('-planar', '')];
  if (!integers) {
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return;
  }
  const { Samples, scale, zero } = integers;
  const isPlanar = sample.format.endsWith('-planar');
  const [stride, offset] = isPlanar ? [1, 0] : [sample.numberOfChannels, planeIndex];
  const values = new Samples(sample.numberOfFrames * stride);
  sample.copyTo(values, { planeIndex: isPlanar ? planeIndex : 0, format: sample.format });
  for (let frame = 0; frame < plane.length; frame++) plane[frame] = (values[frame * stride + offset]! - zero) / scale;
}
