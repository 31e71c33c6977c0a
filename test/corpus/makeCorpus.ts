/** Corpus folders for tests and benchmarks, without `corpus plan`. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonLine } from '../../cli/corpus/jsonLines';
import { corpusFiles, LAYOUT_VERSION, type Entry, type Plan } from '../../cli/corpus/layout';

const HEADER_BYTES = 44;
const BYTES_PER_SECOND = 32_000;

/** Parts of a WAV file with a header of 44 bytes, mono, 16 kHz, 16 bits, such as the sample. Lengths in seconds. */
export function cutWav(path: string, startSeconds: number, lengthSeconds: number): Buffer {
  const whole = readFileSync(path);
  const from = HEADER_BYTES + Math.round(startSeconds * 16_000) * 2;
  const data = whole.subarray(from, from + lengthSeconds * BYTES_PER_SECOND);
  const header = Buffer.from(whole.subarray(0, HEADER_BYTES));
  header.writeUInt32LE(HEADER_BYTES - 8 + data.length, 4);
  header.writeUInt32LE(data.length, HEADER_BYTES - 4);
  return Buffer.concat([header, data]);
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

/** Different clips of the sample, each written to `folder`. */
export function sampleClips(folder: string, count: number, lengthSeconds: number): CorpusInput[] {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const id = `clip-${String(index).padStart(4, '0')}`;
    const path = join(folder, `${id}.wav`);
    // A prime step, in milliseconds, so that no two clips are equal.
    writeFileSync(path, cutWav('public/sample.wav', ((index * 613) % ((30 - lengthSeconds) * 1000)) / 1000, lengthSeconds));
    return { id, path, durationSeconds: lengthSeconds };
  });
}
