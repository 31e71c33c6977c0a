import { readFileSync } from 'node:fs';

/** The sample and the sample again, a minute: long enough for turns to be shown before the end. */
export function sampleTwice(): Buffer {
  const wav = readFileSync('public/sample.wav');
  const data = wav.indexOf('data') + 8;
  const joined = Buffer.concat([wav, wav.subarray(data)]);
  joined.writeUInt32LE(joined.length - 8, 4);
  joined.writeUInt32LE(joined.length - data, data - 4);
  return joined;
}
