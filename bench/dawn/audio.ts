import { buildWav } from '../../test/audio/wav';

const SAMPLE_RATE = 16_000;
const HEADER_BYTES = 12;

/** The samples of a WAV file: the content of its chunk `data`. @throws Error with a one-line message */
export function wavData(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = HEADER_BYTES; at + 8 <= file.length; ) {
    const size = view.getUint32(at + 4, true);
    if (String.fromCharCode(...file.subarray(at, at + 4)) === 'data') return file.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  throw new Error('the sample has no chunk with samples. Expected a WAV file.');
}

/** Number of whole windows of a WAV file. @param file 16-bit mono */
export const numFitting = (file: Uint8Array, { windowSamples, hopSamples }: { readonly windowSamples: number; readonly hopSamples: number }): number =>
  Math.floor((wavData(file).byteLength / 2 - windowSamples) / hopSamples) + 1;

/** A WAV file with the samples of another one, repeated to a length. @param file 16-bit mono at 16 kHz */
export async function repeatedWav(file: Uint8Array, seconds: number): Promise<Blob> {
  const data = wavData(file);
  const dataBytes = 2 * Math.round(seconds * SAMPLE_RATE);
  const header = await buildWav([[]], { sampleRate: SAMPLE_RATE, declaredDataBytes: dataBytes, declaredRiffBytes: dataBytes + 36 }).arrayBuffer();
  const whole = new Uint8Array(data);
  const parts = Array.from({ length: Math.floor(dataBytes / data.length) }, () => whole);
  return new Blob([header, ...parts, whole.subarray(0, dataBytes % data.length)]);
}
