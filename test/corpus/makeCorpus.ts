/** Corpus folders for tests and benchmarks, without `corpus plan`. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonLine } from '../../cli/corpus/jsonLines';
import { corpusFiles, LAYOUT_VERSION, type Entry, type Plan } from '../../cli/corpus/layout';

const BYTES_PER_SECOND = 32_000;

/** A WAV file of 16 kHz, mono, 16 bits. @param data samples, little-endian */
export function wavFile(data: Uint8Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16_000, 24);
  header.writeUInt32LE(BYTES_PER_SECOND, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** A part of a WAV file with the format of {@link wavFile}, such as the sample. */
export function cutWav(path: string, startSeconds: number, lengthSeconds: number): Buffer {
  const whole = readFileSync(path);
  const from = whole.indexOf('data', 12, 'latin1') + 8 + Math.round(startSeconds * 16_000) * 2;
  return wavFile(whole.subarray(from, from + lengthSeconds * BYTES_PER_SECOND));
}

export interface CorpusInput {
  readonly id: string;
  /** Absolute; it may be missing. */
  readonly path: string;
  readonly durationSeconds: number;
}

/** Writes plan and manifest, without any check of the inputs. */
export function writeCorpus(folder: string, inputs: readonly CorpusInput[], numShards = 1): void {
  mkdirSync(folder, { recursive: true });
  const entries = inputs.map((input, index): Entry => {
    const stats = statSync(input.path, { throwIfNoEntry: false });
    return { ...input, recording: input.id, shard: index % numShards, bytes: stats?.size ?? 0, modifiedMs: stats?.mtimeMs ?? 0 };
  });
  const plan: Plan = {
    version: LAYOUT_VERSION,
    inputs: [],
    numShards,
    numEntries: entries.length,
    numRefused: 0,
    totalSeconds: inputs.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0),
    shards: [],
  };
  writeFileSync(corpusFiles(folder).plan, JSON.stringify(plan));
  writeFileSync(corpusFiles(folder).manifest, entries.map(jsonLine).join(''));
}

/** The sample has no speech before. */
const SPEECH_SECONDS = 7;
const SAMPLE_SECONDS = 30;

/** Different clips with speech of the sample, each written to `folder`. */
export function sampleClips(folder: string, count: number, lengthSeconds: number): CorpusInput[] {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const id = `clip-${String(index).padStart(4, '0')}`;
    const path = join(folder, `${id}.wav`);
    // A prime step, in milliseconds, so that no two clips are equal.
    writeFileSync(path, cutWav('public/sample.wav', SPEECH_SECONDS + ((index * 613) % ((SAMPLE_SECONDS - SPEECH_SECONDS - lengthSeconds) * 1000)) / 1000, lengthSeconds));
    return { id, path, durationSeconds: lengthSeconds };
  });
}
