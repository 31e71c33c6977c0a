import { readFileSync } from 'node:fs';

const SAMPLE = new URL('../../public/sample.wav', import.meta.url);
const BYTES_PER_SECOND = 2 * 16_000;

/** A segment of the sample as a WAV file: 16 kHz, mono, 16 bits. Without a duration, it extends to the end. */
export function sampleWav(startSeconds: number, durationSeconds = Infinity): Buffer {
  const { header, samples } = readSample();
  const start = startSeconds * BYTES_PER_SECOND;
  return wavOf(header, [samples.subarray(start, start + durationSeconds * BYTES_PER_SECOND)]);
}

/** The sample repeated twice: one minute, long enough to show turns before the end. */
export function sampleTwice(): Buffer {
  return sampleRepeated(2);
}

/** The 30 s sample, repeated `times` times. */
export function sampleRepeated(times: number): Buffer {
  const { header, samples } = readSample();
  return wavOf(header, Array<Buffer>(times).fill(samples));
}

function readSample(): { header: Buffer; samples: Buffer } {
  const wav = readFileSync(SAMPLE);
  const data = wav.indexOf('data') + 8;
  return { header: wav.subarray(0, data), samples: wav.subarray(data) };
}

/** @param header WAV header of the sample, up to its first value */
function wavOf(header: Buffer, pieces: readonly Buffer[]): Buffer {
  const wav = Buffer.concat([header, ...pieces]);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.writeUInt32LE(wav.length - header.length, header.length - 4);
  return wav;
}
