import { openSync, closeSync, existsSync, readFileSync, writeSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { openAudio } from '../../src/audio/decode';
import { collect } from '../../test/audio/collect';
import { buildWav } from '../../test/audio/wav';
import { parseRttm } from '../../src/formats/rttm';
import type { Turn } from '../../src/index';

/** Sample rate of the generated recordings, in Hz. */
export const SAMPLE_RATE = 16_000;

const PIECE_SAMPLES = SAMPLE_RATE;

/** A short recording, in memory. */
export interface Clip {
  readonly name: string;
  /** Axes (sample), mono at {@link SAMPLE_RATE}. */
  readonly samples: Float32Array;
  /** Reference turns, in seconds from the start of the clip; null without a reference. */
  readonly turns: readonly Turn[] | null;
}

/** A part of a longer recording: a clip from its start, or silence. */
export interface ClipSegment {
  readonly clip: Clip | null;
  readonly numSamples: number;
}

/**
 * Reads a WAV file and the reference beside it.
 *
 * @throws VoxlaneError `audio-*`; `format` for a reference that cannot be read
 */
export async function readClip(path: string): Promise<Clip> {
  const audio = await openAudio(new Blob([readFileSync(path)]), { sampleRate: SAMPLE_RATE });
  const samples = await collect(audio.pieces());
  audio.close();
  const stem = path.slice(0, path.length - extname(path).length);
  const reference = existsSync(`${stem}.rttm`) ? parseRttm(readFileSync(`${stem}.rttm`, 'utf8')) : null;
  return { name: basename(stem), samples, turns: reference && [...reference.values()].flat() };
}

/** A silent segment. */
export const silence = (seconds: number): ClipSegment => ({ clip: null, numSamples: Math.round(seconds * SAMPLE_RATE) });

/** A segment with a whole clip. */
export const whole = (clip: Clip): ClipSegment => ({ clip, numSamples: clip.samples.length });

/**
 * Concatenates clips in repeated random permutations up to `seconds`. The last clip is truncated.
 *
 * @param seed equal seeds produce equal orders
 */
export function shuffledSegments(clips: readonly Clip[], seconds: number, seed: number): ClipSegment[] {
  const usable = clips.filter(({ samples }) => samples.length > 0);
  if (usable.length === 0) throw new Error('there is no clip with samples to join');
  const random = uniform(seed);
  const segments: ClipSegment[] = [];
  let left = Math.round(seconds * SAMPLE_RATE);
  while (left > 0) {
    for (const clip of shuffled(usable, random)) {
      const numSamples = Math.min(left, clip.samples.length);
      if (numSamples > 0) segments.push({ clip, numSamples });
      left -= numSamples;
    }
  }
  return segments;
}

/** Samples of a joined recording in pieces of at most one second, axes (sample). Callers must not modify the pieces. */
export function* piecesOf(segments: readonly ClipSegment[]): Generator<Float32Array, void, undefined> {
  const silent = new Float32Array(PIECE_SAMPLES);
  for (const { clip, numSamples } of segments) {
    for (let from = 0; from < numSamples; from += PIECE_SAMPLES) {
      const to = Math.min(from + PIECE_SAMPLES, numSamples);
      yield clip ? clip.samples.subarray(from, to) : silent.subarray(0, to - from);
    }
  }
}

/**
 * Reference turns of a joined recording, in seconds from its start; null if a clip has no reference. Equal names in
 * different clips are the same person.
 */
export function turnsOf(segments: readonly ClipSegment[]): Turn[] | null {
  const turns: Turn[] = [];
  let numBefore = 0;
  for (const { clip, numSamples } of segments) {
    if (clip && !clip.turns) return null;
    const [offset, lengthSeconds] = [numBefore / SAMPLE_RATE, numSamples / SAMPLE_RATE];
    for (const turn of clip?.turns ?? []) {
      if (turn.startSeconds >= lengthSeconds) continue;
      const endSeconds = offset + Math.min(turn.endSeconds, lengthSeconds);
      turns.push({ ...turn, startSeconds: offset + turn.startSeconds, endSeconds });
    }
    numBefore += numSamples;
  }
  return turns;
}

/** Writes a joined recording as 16-bit WAV, one second at a time. */
export async function writeWav(path: string, segments: readonly ClipSegment[]): Promise<void> {
  const dataBytes = 2 * segments.reduce((sum, { numSamples }) => sum + numSamples, 0);
  const empty = buildWav([[]], { sampleRate: SAMPLE_RATE, declaredDataBytes: dataBytes, declaredRiffBytes: dataBytes + 36 });
  const file = openSync(path, 'w');
  try {
    writeSync(file, new Uint8Array(await empty.arrayBuffer()));
    for (const piece of piecesOf(segments)) writeAll(file, toInt16(piece));
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

function toInt16(samples: Float32Array): Uint8Array {
  const bytes = Buffer.alloc(2 * samples.length);
  samples.forEach((value, i) => bytes.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768))), 2 * i));
  return bytes;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** Pseudorandom numbers in [0, 1). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // Constants from Numerical Recipes. The upper bits are the most random.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
