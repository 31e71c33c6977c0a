import { readFileSync } from 'node:fs';
import { decoderFor, openAudio } from '../../src/audio/decode';
import { readMp3Padding } from '../../src/audio/containers/mp3';
import { readWav } from '../../src/audio/wav';
import { isWav, readWavHeader } from '../../src/audio/wavHeader';
import { noise } from '../audio/collect';
import { buildWav, type WavOptions } from '../audio/wav';
import { ensure, type Reader } from './judge';

const SAMPLE_RATE = 16_000;
/** Limit, because a low rate in the header can turn a few bytes into hours. */
const MAX_SAMPLES = 1 << 20;
const WAV_FILES: readonly WavOptions[] = [
  {}, { format: 'float64', sampleRate: 44_100 }, { format: 'int24', extensible: true }, { format: 'a-law', sampleRate: 8000 },
  { declaredDataBytes: 0xffff_ffff, declaredRiffBytes: 0xffff_ffff }, { extraChunks: [{ name: 'LIST', bytes: 7 }] },
];

/** The first bytes of a recording. */
function startOf(name: string, numBytes: number): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../e2e/fixtures/${name}`, import.meta.url)).subarray(0, numBytes));
}

async function readSound(bytes: Uint8Array): Promise<void> {
  const source = new Blob([new Uint8Array(bytes)]);
  await decoderFor(source);
  await readMp3Padding(source);
  const audio = await openAudio(source, { sampleRate: SAMPLE_RATE });
  ensure(Number.isFinite(audio.facts.durationSeconds) && audio.facts.durationSeconds >= 0, `${audio.facts.durationSeconds} s`);
  let numSamples = 0;
  try {
    for await (const piece of audio.pieces()) {
      ensure(piece.length > 0 && piece.every(Number.isFinite), 'an empty piece or NaN');
      numSamples += piece.length;
      if (numSamples > MAX_SAMPLES) break;
    }
  } finally {
    audio.close();
  }
}

async function readWavFile(bytes: Uint8Array): Promise<void> {
  const source = new Blob([new Uint8Array(bytes)]);
  if (!(await isWav(source))) return;
  const header = await readWavHeader(source);
  const { heldFrames, promisedFrames, channels, sampleBytes, dataStart } = header;
  ensure(heldFrames <= promisedFrames && dataStart + heldFrames * channels * sampleBytes <= bytes.length, JSON.stringify(header));
  let numFrames = 0;
  for await (const { channels: planes } of readWav(source, header, 0, Infinity)) numFrames += planes[0]!.length;
  ensure(numFrames === heldFrames, `${numFrames} of ${heldFrames} samples`);
}

const wavSeeds = (): Promise<Uint8Array[]> =>
  Promise.all(WAV_FILES.map(async (options) => new Uint8Array(await buildWav([noise(400)], options).arrayBuffer())));

export const SOUND_READERS: readonly Reader[] = [
  { name: 'wav-header', numRuns: 200, seeds: wavSeeds, read: readWavFile },
  { name: 'wav', numRuns: 60, seeds: wavSeeds, read: readSound },
  {
    name: 'container', numRuns: 60, read: readSound,
    seeds: () => [...['mp3', 'flac', 'ogg', 'webm', 'mp4', 'm4a'].map((end) => startOf(`sample.${end}`, 6000)), Uint8Array.from([0xff, 0xf1, 0x50, 0x80, 0x04, 0x3f, 0xfc, ...new Uint8Array(26)])],
  },
];
