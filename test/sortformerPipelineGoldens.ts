/** Compares the whole way from samples to logits with the reference, with seeded weights. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { expect } from 'vitest';
import nemotron from '../models/nemotron-3-diarization/manifest.json';
import golden from '../src/sortformer/fixtures/pipeline.json';
import type { StreamStep } from '../src/sortformer/chunkLoop';
import type { GraphNetwork } from '../src/sortformer/graphNetwork';
import { cpuFrontEnd } from '../src/sortformer/melFrontEnd';
import type { StepInput, StreamNetwork } from '../src/sortformer/network';
import { stream } from '../src/sortformer/speakerStream';
import type { StreamMode } from '../src/store/streamModes';
import { parseStreamingSettings } from '../src/store/streamingSettings';
import { concatenate } from '../src/util/values';
import { uniform } from '../src/util/uniform';
import { NEMOTRON } from './seededNemotron';

/** A compressed part of the values. */
export interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** A recording in one mode, as the scripts in models/nemotron-3-diarization write it. */
export interface PipelineCase {
  readonly mode: string;
  readonly numLayers: number;
  readonly numSamples: number;
  readonly numFrames: number;
  readonly spread: number;
  readonly states: Place;
  readonly decisions: Place;
  readonly logits: Place;
}
export const PIPELINE_CASES: readonly PipelineCase[] = golden.cases;

/** Where the values of cases are, and the audio. */
export interface PipelineGoldens {
  readonly stride: number;
  readonly hashBytes: number;
  /** Decompresses a part of the values. */
  readonly inflated: (place: Place) => Uint8Array<ArrayBuffer>;
  /** Axes (sample). */
  readonly audio: (numSamples: number) => Float32Array;
  /** Whether a speaker is active in a frame, according to the reference; `index` is frame * speakers + speaker. */
  readonly decisions: (one: PipelineCase) => (index: number) => boolean;
}

export const settings = parseStreamingSettings(nemotron.streaming, NEMOTRON.id);
const { numSpeakers } = settings;
/** The bounds of the issue: differences of logits as a share of their spread, and equal decisions. */
const MAX_LOGIT_SHARE = 1e-3;
export const MIN_EQUAL_SHARE = 0.9999;
/** Not a multiple of anything. */
const PUSHED_SAMPLES = 9973;

/** Reads the parts of a file of values. */
export function inflatedFrom(path: string): PipelineGoldens['inflated'] {
  const stored = readFileSync(path);
  return ({ offset, bytes }) => new Uint8Array(inflateSync(stored.subarray(offset, offset + bytes)));
}

const inflated = inflatedFrom('src/sortformer/fixtures/pipeline.bin');

/** Samples of public/sample.wav; axes (sample). */
export function sampleRecording(): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8;
  return Float32Array.from({ length: (file.length - start) / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

/** The audio of models/nemotron-3-diarization/pipeline_goldens.py; axes (sample). */
export function audio(numSamples: number): Float32Array {
  const recording = sampleRecording();
  const samples = uniform(golden.noiseSeed, numSamples);
  const level = Math.fround(golden.noiseLevel);
  for (let i = 0; i < numSamples; i++) {
    samples[i] = recording[i % recording.length]! + Math.fround(samples[i]! * level);
  }
  return samples;
}

/** The pushes of a recording; axes (sample) each. */
export const pieces = (samples: Float32Array): Float32Array[] =>
  Array.from({ length: Math.ceil(samples.length / PUSHED_SAMPLES) }, (_, piece) => samples.subarray(piece * PUSHED_SAMPLES, (piece + 1) * PUSHED_SAMPLES));

/** Hashes the frames of the state in order, by their number in the recording, as the script does. */
export class StateHasher {
  readonly hashes: Buffer[] = [];
  private readonly numberOf = new Map<string, number>();
  private numbers: number[] = [];
  private nextFrame = 0;

  constructor(
    private readonly hiddenSize: number,
    private readonly silence: Float32Array,
    private readonly hashBytes: number,
  ) {}

  /** The bytes of each row. */
  private rowsOf({ buffer, byteOffset, byteLength }: Float32Array): string[] {
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    const rowBytes = this.hiddenSize * Float32Array.BYTES_PER_ELEMENT;
    return Array.from({ length: byteLength / rowBytes }, (_, row) => bytes.toString('latin1', row * rowBytes, (row + 1) * rowBytes));
  }

  before({ embeddings }: StepInput): void {
    const rows = this.rowsOf(embeddings);
    const known = this.numbers.length;
    this.numberOf.clear();
    rows.forEach((row, index) => this.numberOf.set(row, this.numbers[index] ?? this.nextFrame + index - known));
    this.numberOf.set(this.rowsOf(this.silence)[0]!, -1);
  }

  after({ state, numFrames }: StreamStep): void {
    this.nextFrame += Math.ceil(numFrames / settings.melFramesPerEncoderFrame);
    this.numbers = [...this.rowsOf(state.cache), ...this.rowsOf(state.fifo)].map((row) => this.numberOf.get(row) ?? NaN);
    expect(this.numbers).not.toContain(NaN);
    const values = Int32Array.of(state.numCacheFrames, state.numFifoFrames, Number(state.isCompressed), ...this.numbers);
    this.hashes.push(createHash('sha256').update(new Uint8Array(values.buffer)).digest().subarray(0, this.hashBytes));
  }
}

/** Whether a speaker is active in a frame, according to the reference; `index` is frame * speakers + speaker. */
export function referenceDecisions(one: PipelineCase): (index: number) => boolean {
  const decisions = inflated(one.decisions);
  return (index) => ((decisions[Math.floor(index / 8)]! >> (7 - (index % 8))) & 1) === 1;
}

/** The goldens of models/nemotron-3-diarization/pipeline_goldens.py. */
const PIPELINE: PipelineGoldens = { ...golden, inflated, audio, decisions: referenceDecisions };

/** What differs from the reference. */
export interface PipelineErrors {
  /** Decisions of a frame and a speaker. */
  readonly differingDecisions: number;
  readonly numDecisions: number;
  /** Of the stored frames. */
  readonly maxLogitDifference: number;
}

/**
 * Runs a case on `network`.
 *
 * @param onStep called after each step
 * @throws AssertionError if the frames in speaker cache and FIFO differ after a step, or another bound is exceeded
 */
export async function comparePipeline(
  one: PipelineCase,
  network: GraphNetwork,
  goldens = PIPELINE,
  onStep: (step: StreamStep) => void = () => undefined,
): Promise<PipelineErrors> {
  const { hashBytes, stride } = goldens;
  const hasher = new StateHasher(network.silence.length, network.silence, hashBytes);
  const watched: StreamNetwork = {
    numMelBins: network.numMelBins,
    silence: network.silence,
    embed: (melFrames) => network.embed(melFrames),
    logits: (input) => {
      hasher.before(input);
      return network.logits(input);
    },
  };
  const parts: Float32Array[] = [];
  const watchStep = (step: StreamStep): void => {
    hasher.after(step);
    onStep(step);
  };
  const options = { network: watched, settings, mode: one.mode as StreamMode, frontEnd: cpuFrontEnd(NEMOTRON), onStep: watchStep };
  for await (const { logits } of stream('samples', pieces(goldens.audio(one.numSamples)), options)) parts.push(logits.slice());
  const logits = concatenate(parts);

  const states = goldens.inflated(one.states);
  expect(hasher.hashes).toHaveLength(states.length / hashBytes);
  const firstOther = hasher.hashes.findIndex((hash, step) => !hash.equals(states.subarray(step * hashBytes, (step + 1) * hashBytes)));
  expect(firstOther, 'the first step with another state').toBe(-1);

  expect(logits).toHaveLength(one.numFrames * numSpeakers);
  const isActive = goldens.decisions(one);
  const differingDecisions = logits.reduce((sum, logit, index) => sum + (isActive(index) === logit > 0 ? 0 : 1), 0);
  expect(1 - differingDecisions / logits.length).toBeGreaterThanOrEqual(MIN_EQUAL_SHARE);

  const expected = new Float32Array(goldens.inflated(one.logits).buffer);
  const maxLogitDifference = expected.reduce((most, value, index) => {
    const frame = Math.floor(index / numSpeakers) * stride;
    const own = Math.abs(value - logits[frame * numSpeakers + (index % numSpeakers)]!);
    // NaN compares false with everything and must not pass.
    return Number.isNaN(own) ? Infinity : Math.max(most, own);
  }, 0);
  expect(maxLogitDifference / one.spread).toBeLessThanOrEqual(MAX_LOGIT_SHARE);
  return { differingDecisions, numDecisions: logits.length, maxLogitDifference };
}
