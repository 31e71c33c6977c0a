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

export type PipelineCase = (typeof golden.cases)[number];
export const PIPELINE_CASES: readonly PipelineCase[] = golden.cases;

const settings = parseStreamingSettings(nemotron.streaming, NEMOTRON.id);
const { numSpeakers } = settings;
/** The bounds of the issue: differences of logits as a share of their spread, and equal decisions. */
const MAX_LOGIT_SHARE = 1e-3;
export const MIN_EQUAL_SHARE = 0.9999;
/** Not a multiple of anything. */
const PUSHED_SAMPLES = 9973;

const stored = readFileSync('src/sortformer/fixtures/pipeline.bin');
const inflated = ({ offset, bytes }: { offset: number; bytes: number }): Uint8Array<ArrayBuffer> =>
  new Uint8Array(inflateSync(stored.subarray(offset, offset + bytes)));

/** The audio of models/nemotron-3-diarization/pipeline_goldens.py; axes (sample). */
export function audio(numSamples: number): Float32Array {
  const file = readFileSync('public/sample.wav');
  const start = file.indexOf('data') + 8;
  const recorded = (file.length - start) / 2;
  const samples = uniform(golden.noiseSeed, numSamples);
  const level = Math.fround(golden.noiseLevel);
  for (let i = 0; i < numSamples; i++) {
    samples[i] = file.readInt16LE(start + 2 * (i % recorded)) / 32768 + Math.fround(samples[i]! * level);
  }
  return samples;
}

/** Hashes the frames of the state in order, by their number in the recording, as the script does. */
class StateHasher {
  readonly hashes: Buffer[] = [];
  private readonly numberOf = new Map<string, number>();
  private numbers: number[] = [];
  private nextFrame = 0;

  constructor(private readonly hiddenSize: number, private readonly silence: Float32Array) {}

  private rowsOf(values: Float32Array): string[] {
    return Array.from({ length: values.length / this.hiddenSize }, (_, row) =>
      values.subarray(row * this.hiddenSize, (row + 1) * this.hiddenSize).join(),
    );
  }

  before({ embeddings }: StepInput): void {
    const rows = this.rowsOf(embeddings);
    const known = this.numbers.length;
    this.numberOf.clear();
    rows.forEach((row, index) => this.numberOf.set(row, this.numbers[index] ?? this.nextFrame + index - known));
    this.numberOf.set(this.silence.join(), -1);
  }

  after({ state, numFrames }: StreamStep): void {
    this.nextFrame += Math.ceil(numFrames / settings.melFramesPerEncoderFrame);
    this.numbers = [...this.rowsOf(state.cache), ...this.rowsOf(state.fifo)].map((row) => this.numberOf.get(row) ?? NaN);
    expect(this.numbers).not.toContain(NaN);
    const values = Int32Array.of(state.numCacheFrames, state.numFifoFrames, Number(state.isCompressed), ...this.numbers);
    this.hashes.push(createHash('sha256').update(new Uint8Array(values.buffer)).digest().subarray(0, golden.hashBytes));
  }
}

/** Whether a speaker is active in a frame, according to the reference; `index` is frame * speakers + speaker. */
export function referenceDecisions(one: PipelineCase): (index: number) => boolean {
  const decisions = inflated(one.decisions);
  return (index) => ((decisions[Math.floor(index / 8)]! >> (7 - (index % 8))) & 1) === 1;
}

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
 * @throws AssertionError if the frames in speaker cache and FIFO differ after a step, or another bound is exceeded
 */
export async function comparePipeline(one: PipelineCase, network: GraphNetwork): Promise<PipelineErrors> {
  const hasher = new StateHasher(network.silence.length, network.silence);
  const watched: StreamNetwork = {
    numMelBins: network.numMelBins,
    silence: network.silence,
    embed: (melFrames) => network.embed(melFrames),
    logits: (input) => {
      hasher.before(input);
      return network.logits(input);
    },
  };
  const samples = audio(one.numSamples);
  const blocks = Array.from({ length: Math.ceil(samples.length / PUSHED_SAMPLES) }, (_, block) =>
    samples.subarray(block * PUSHED_SAMPLES, (block + 1) * PUSHED_SAMPLES),
  );
  const pieces: Float32Array[] = [];
  const options = { network: watched, settings, mode: one.mode as StreamMode, frontEnd: cpuFrontEnd(NEMOTRON), onStep: (step: StreamStep) => { hasher.after(step); } };
  for await (const { logits } of stream('samples', blocks, options)) pieces.push(logits.slice());
  const logits = concatenate(pieces);

  const { hashBytes, stride } = golden;
  const states = inflated(one.states);
  expect(hasher.hashes).toHaveLength(states.length / hashBytes);
  const firstOther = hasher.hashes.findIndex((hash, step) => !hash.equals(states.subarray(step * hashBytes, (step + 1) * hashBytes)));
  expect(firstOther, 'the first step with another state').toBe(-1);

  expect(logits).toHaveLength(one.numFrames * numSpeakers);
  const isActive = referenceDecisions(one);
  const differingDecisions = logits.reduce((sum, logit, index) => sum + (isActive(index) === logit > 0 ? 0 : 1), 0);
  expect(1 - differingDecisions / logits.length).toBeGreaterThanOrEqual(MIN_EQUAL_SHARE);

  const expected = new Float32Array(inflated(one.logits).buffer);
  const maxLogitDifference = expected.reduce((most, value, index) => {
    const frame = Math.floor(index / numSpeakers) * stride;
    const own = Math.abs(value - logits[frame * numSpeakers + (index % numSpeakers)]!);
    // NaN compares false with everything and must not pass.
    return Number.isNaN(own) ? Infinity : Math.max(most, own);
  }, 0);
  expect(maxLogitDifference / one.spread).toBeLessThanOrEqual(MAX_LOGIT_SHARE);
  return { differingDecisions, numDecisions: logits.length, maxLogitDifference };
}
