import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { STREAMING_MODES, type StreamMode } from '../store/streamModes';
import { modeSizes, parseStreamingSettings } from '../store/streamingSettings';
import { VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import type { StreamStep } from './chunkLoop';
import golden from './fixtures/stream.json';
import { Generator, HIDDEN, makeFeatures, NUM_BINS, NUM_SPEAKERS, StubNetwork } from '../../test/sortformer/stubNetwork';
import type { StepInput } from './network';
import type { FrontEnd } from './sampleFramer';
import { SpeakerStream, stream, type StreamInput, type StreamOptions } from './speakerStream';
import { blockLengths } from './stepSchedule';

const settings = parseStreamingSettings(golden.settings, 'stream.json');
const MODES: readonly StreamMode[] = ['offline', ...STREAMING_MODES];

/** The stub, which also records what it computes. */
class Recorder extends StubNetwork {
  readonly embedded: Float32Array[] = [];
  readonly inputs: StepInput[] = [];
  /** Set before the last call of a stream. */
  isLast = false;

  override embed(melFrames: Float32Array): Promise<Float32Array> {
    this.embedded.push(melFrames);
    return super.embed(melFrames);
  }

  override logits(input: StepInput): Promise<Float32Array> {
    this.inputs.push(input);
    return super.logits(input);
  }
}

/** Whole numbers, and sums of products of them, so every order of the additions gives the same values. */
const FRONT_END: FrontEnd = {
  sampleRate: 16_000,
  numMelBins: NUM_BINS,
  hopSamples: 160,
  windowSamples: 400,
  fftSize: 512,
  melFrames(samples, centerSamples, numFrames) {
    const frames = new Float32Array(numFrames * NUM_BINS);
    for (let cell = 0; cell < frames.length; cell++) {
      const start = centerSamples + Math.floor(cell / NUM_BINS) * 160 - 200;
      // Pre-emphasis: a difference to the sample before. Outside the recording it is 0.
      const at = (index: number): number => (index < samples.length ? (samples[index] ?? 0) - (samples[index - 1] ?? 0) / 2 : 0);
      for (let i = 0; i < 400; i++) frames[cell]! += at(start + i) * (((i * (cell % NUM_BINS + 3)) % 7) - 3);
    }
    return frames;
  },
};

function makeSamples(length: number): Float32Array {
  const random = new Generator(11);
  return Float32Array.from({ length }, () => random.next(16) - 8);
}

/** One digest instead of the values, because the deep comparison of large arrays is slow. */
function digest(...arrays: readonly Float32Array[]): string {
  const hash = createHash('sha256');
  for (const array of arrays) hash.update(`${array.length},`).update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest('hex');
}

interface Outcome {
  readonly logits: Float32Array;
  /** Mel frames that each step decided. */
  readonly steps: readonly number[];
  /** Digest of the last state. All states have an effect on the logits. */
  readonly state: string;
  readonly network: Recorder;
  readonly progress: readonly number[];
}

/** Runs a stream over pushes of `size` values, or of sizes that vary if it is 0. */
async function run(input: StreamInput, mode: StreamMode, values: Float32Array, size: number): Promise<Outcome> {
  const network = new Recorder();
  const steps: number[] = [];
  let state = '';
  const progress: number[] = [];
  const onStep = (step: StreamStep): void => {
    steps.push(step.numFrames);
    if (network.isLast) state = digest(step.state.cache, step.state.probabilities, step.state.fifo);
  };
  const onProgress = (decided: number): void => { progress.push(decided); };
  const speakers = new SpeakerStream(input, { network, settings, mode, frontEnd: FRONT_END, onStep, onProgress });
  const random = new Generator(17);
  const unit = input === 'samples' ? 1 : NUM_BINS;
  const pieces: Float32Array[] = [];
  let decided = 0;
  let gaps = 0;
  for (let at = 0; at < values.length; ) {
    const end = at + (size || random.next(3000)) * unit;
    const { logits, firstFrame, numFrames } = await speakers.push(values.subarray(at, end));
    if (firstFrame !== decided || logits.length !== numFrames * NUM_SPEAKERS) gaps++;
    decided += numFrames;
    if (numFrames > 0) pieces.push(logits);
    at = end;
  }
  expect(gaps).toBe(0);
  network.isLast = true;
  pieces.push((await speakers.finish()).logits);
  return { logits: concatenate(pieces), steps, state, network, progress };
}

describe.each(MODES)('SpeakerStream, %s', (mode) => {
  const features = makeFeatures(4803, 2);

  it('returns the same bytes for any size of the pushes', async () => {
    const whole = await run('melFrames', mode, features, Infinity);
    expect(whole.logits.length).toBe(4803 * NUM_SPEAKERS);
    expect(whole.state).toHaveLength(64);
    for (const size of [1, 8, 0]) {
      const other = await run('melFrames', mode, features, size);
      expect(digest(other.logits)).toBe(digest(whole.logits));
      expect(other.state).toBe(whole.state);
      expect(other.steps).toEqual(whole.steps);
      // The network gets equal batches, so it cannot return other values either.
      expect(digest(...other.network.embedded)).toBe(digest(...whole.network.embedded));
    }
  });

  it('returns the same bytes for any number of samples per push: those of the whole recording', async () => {
    const samples = makeSamples(20_000);
    const whole = await run('samples', mode, samples, Infinity);
    expect(whole.logits.length).toBe(125 * NUM_SPEAKERS);
    // Offline, a mel frame of zeros follows. It is a part of the last encoder frame.
    const expected = new Float32Array(128 * NUM_BINS);
    expected.set(FRONT_END.melFrames(samples, 0, 125) as Float32Array);
    expect(digest(concatenate(whole.network.embedded))).toBe(digest(expected));
    for (const size of [mode === 'ultra_low_latency' ? 1 : 23, 160, 0]) {
      const other = await run('samples', mode, samples, size);
      expect(digest(other.logits)).toBe(digest(whole.logits));
      expect(digest(...other.network.embedded)).toBe(digest(...whole.network.embedded));
    }
  });

  it('runs each step with the last sample that it needs, and not before', async () => {
    const numSteps = mode === 'offline' ? 2 : 5;
    const chunk = 8 * modeSizes(settings, mode).chunkFrames;
    const speakers = new SpeakerStream('samples', { network: new StubNetwork(), settings, mode, frontEnd: FRONT_END });
    const lengths = blockLengths(settings, mode, FRONT_END, Infinity);
    for (let step = 0; step < numSteps; step++) {
      const samples = makeSamples(lengths.next().value);
      expect((await speakers.push(samples.subarray(0, -1))).numFrames).toBe(0);
      expect(await speakers.push(samples.subarray(-1))).toMatchObject({ firstFrame: step * chunk, numFrames: chunk });
    }
  });

  it('reports progress up to the last frame', async () => {
    const { progress, steps } = await run('melFrames', mode, features, 100);
    expect(progress.at(-1)).toBe(4803);
    expect(progress.length).toBe(steps.length);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('gives the network a bounded number of frames, and as many steps per minute', async () => {
    const { chunkFrames, lookAheadFrames, fifoFrames } = modeSizes(settings, mode);
    const largest = settings.cache.cacheFrames + fifoFrames + chunkFrames + lookAheadFrames;
    const { network } = await run('melFrames', mode, makeFeatures(9600, 2), 0);
    expect(Math.max(...network.inputs.map(({ numFrames }) => numFrames))).toBeLessThanOrEqual(largest);
    // At most one step more: what is left at the end.
    expect(network.inputs.length).toBeLessThanOrEqual(Math.ceil(1200 / chunkFrames) + 1);
    const moving = network.inputs.filter(({ numFrames, firstScoredFrame }) => numFrames - firstScoredFrame > chunkFrames + lookAheadFrames);
    // Only steps that move frames to the cache need logits of older frames.
    expect(moving.length).toBeLessThanOrEqual(Math.ceil(1200 / modeSizes(settings, mode).updatePeriodFrames));
  });

  it('returns nothing for nothing, and for less than a mel frame', async () => {
    for (const [input, length] of [['melFrames', 0], ['samples', 0], ['samples', 159]] as const) {
      const { logits, steps } = await run(input, mode, new Float32Array(length), Infinity);
      expect([logits.length, steps.length]).toEqual([0, 0]);
    }
  });

  it.each([1, 7, 8, 9, 16])('decides a recording of %i mel frames at its end', async (numFrames) => {
    const { logits, network } = await run('melFrames', mode, makeFeatures(numFrames, 2), Infinity);
    expect(logits.length).toBe(numFrames * NUM_SPEAKERS);
    expect(logits.every(Number.isFinite)).toBe(true);
    const padding = mode === 'offline' && numFrames % 8 === 0 ? 1 : 0;
    const numInput = Math.ceil(numFrames / 8) + padding;
    expect(network.inputs).toEqual([
      { embeddings: expect.any(Float32Array) as unknown, numFrames: numInput, numValidFrames: numInput - padding, firstScoredFrame: 0 },
    ]);
  });
});

describe('chunks of samples', () => {
  it.each(golden.schedules)('are those of the processor of the reference: $mode, $numSamples samples', async ({ mode, numSamples, melFrames }) => {
    const lookAhead = 8 * modeSizes(settings, mode as StreamMode).lookAheadFrames;
    const { steps } = await run('samples', mode as StreamMode, makeSamples(numSamples), 0);
    const expected = melFrames.map((count, index) => (index < melFrames.length - 1 ? count - lookAhead : count));
    expect(steps).toEqual(expected);
  });
});

it('blocks of samples end with each step, and are not longer than allowed', () => {
  const ends = (maxSamples: number, count: number): number[] => {
    const lengths = blockLengths(settings, 'low_latency', FRONT_END, maxSamples);
    let place = 0;
    return Array.from({ length: count }, () => (place += lengths.next().value));
  };
  // (9 + 4) · 8 frames: the last window ends 200 samples after its center. Later: 144 samples after a hop, as in the processor.
  expect(ends(Infinity, 3)).toEqual([16_680, 28_304, 39_824]);
  expect(ends(10_000, 6)).toEqual([10_000, 16_680, 26_680, 28_304, 38_304, 39_824]);
});

describe('SpeakerStream errors', () => {
  const options = (changes: Partial<StreamOptions> = {}): StreamOptions => ({
    network: new StubNetwork(),
    settings,
    mode: 'ultra_low_latency',
    frontEnd: FRONT_END,
    ...changes,
  });
  const features = makeFeatures(600, 2);
  const codeOf = async (call: Promise<unknown>): Promise<string> => {
    try {
      await call;
    } catch (error) {
      return error instanceof VoxlaneError ? error.code : String(error);
    }
    return 'none';
  };

  it('names the sample or the mel frame that is not finite, before any step', async () => {
    const samples = makeSamples(16_000);
    samples[8000] = NaN;
    const speakers = new SpeakerStream('samples', options());
    await expect(speakers.push(samples)).rejects.toThrow('The sample at 0.500 s is NaN');
    // The stream has lost its place.
    expect(await codeOf(speakers.push(makeSamples(160)))).toBe('audio-not-finite');
    expect(await codeOf(speakers.finish())).toBe('audio-not-finite');

    const infinite = features.slice();
    infinite[33 * NUM_BINS + 2] = Infinity;
    const other = new SpeakerStream('melFrames', options());
    await expect(other.push(infinite)).rejects.toThrow('Mel bin 2 of mel frame 33 is Infinity');
    await expect(new SpeakerStream('melFrames', options()).push(features.subarray(1))).rejects.toThrow('not whole mel frames');
  });

  it('rejects outputs of the network that are not finite, or have a wrong size, and keeps the state', async () => {
    for (const [code, change] of [
      ['model-output', (logits: Float32Array) => logits.fill(NaN, 5, 6)],
      ['model-output', (logits: Float32Array) => logits.fill(0)],
      ['model-invalid', (logits: Float32Array) => logits.subarray(1)],
    ] as const) {
      class Broken extends Recorder {
        override async logits(input: StepInput): Promise<Float32Array> {
          const logits = await super.logits(input);
          return this.inputs.length === 3 ? change(logits) : logits;
        }
      }
      const kept: number[] = [];
      const onStep = ({ state }: StreamStep): void => { kept.push(state.numFifoFrames); };
      expect(await codeOf(new SpeakerStream('melFrames', options({ network: new Broken(), onStep })).push(features))).toBe(code);
      expect(kept).toEqual([3, 6]);
    }
    class BrokenEmbedding extends StubNetwork {
      override embed(melFrames: Float32Array): Promise<Float32Array> {
        return Promise.resolve(melFrames.subarray(HIDDEN));
      }
    }
    expect(await codeOf(new SpeakerStream('melFrames', options({ network: new BrokenEmbedding() })).push(features))).toBe('model-invalid');
  });

  it('passes an error of the network on, also to later calls', async () => {
    class Failing extends StubNetwork {
      override logits(): Promise<Float32Array> {
        return Promise.reject(new VoxlaneError({ code: 'gpu-lost', problem: 'The device is lost' }));
      }
    }
    const speakers = new SpeakerStream('melFrames', options({ network: new Failing() }));
    expect(await codeOf(speakers.push(features))).toBe('gpu-lost');
    expect(await codeOf(speakers.push(features))).toBe('gpu-lost');
  });

  it('can be canceled in the middle of a step', async () => {
    const controller = new AbortController();
    class Endless extends Recorder {
      override logits(input: StepInput): Promise<Float32Array> {
        if (this.inputs.length < 4) return super.logits(input);
        controller.abort();
        return new Promise(() => undefined);
      }
    }
    const network = new Endless();
    const speakers = new SpeakerStream('melFrames', options({ network, signal: controller.signal }));
    expect(await codeOf(speakers.push(features))).toBe('cancelled');
    expect(await codeOf(speakers.push(features))).toBe('cancelled');
    expect(network.inputs.length).toBe(4);
  });

  it('rejects calls after the end, and samples without a front end', async () => {
    const speakers = new SpeakerStream('melFrames', options());
    await speakers.finish();
    expect(await codeOf(speakers.push(features))).toBe('options');
    expect(() => new SpeakerStream('samples', options({ frontEnd: undefined }))).toThrow('There is no front end for samples');
  });

  it('runs calls one after another', async () => {
    const speakers = new SpeakerStream('melFrames', options());
    const middle = 200 * NUM_BINS;
    const calls = [speakers.push(features.subarray(0, middle)), speakers.push(features.subarray(middle)), speakers.finish()];
    const results = await Promise.all(calls);
    const whole = await run('melFrames', 'ultra_low_latency', features, Infinity);
    expect(concatenate(results.map(({ logits }) => logits))).toEqual(whole.logits);
  });
});

describe('stream', () => {
  it('yields the logits of blocks of any size in order', async () => {
    const features = makeFeatures(3000, 2);
    const whole = await run('melFrames', 'low_latency', features, Infinity);
    const found: Float32Array[] = [];
    const blocks = [features.subarray(0, 9), new Float32Array(0), features.subarray(9)];
    for await (const { logits, numFrames } of stream('melFrames', blocks, { network: new StubNetwork(), settings, mode: 'low_latency' })) {
      // A block of half a minute is not decided at once.
      expect(numFrames).toBeLessThan(600);
      found.push(logits);
    }
    expect(concatenate(found)).toEqual(whole.logits);
  });
});
