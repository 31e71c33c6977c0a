import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { StreamMode } from '../store/streamModes';
import { parseStreamingSettings, scoreCounts } from '../store/streamingSettings';
import type { StreamLogits, StreamStep } from './chunkLoop';
import golden from './fixtures/stream.json';
import { frameScores } from './frameScores';
import { Generator, HIDDEN, makeFeatures, NUM_BINS, NUM_SPEAKERS, StubNetwork } from '../../test/sortformer/stubNetwork';
import { sigmoid } from './probabilities';
import type { SpeakerCache } from './speakerCache';
import { stream } from './speakerStream';
import { topk } from './topk';

const settings = parseStreamingSettings(golden.settings, 'stream.json');
const MODES = Object.keys(golden.modes) as StreamMode[];
const features = makeFeatures(golden.modes.offline.numFrames, 1);
const featuresOf = (mode: StreamMode): Float32Array => features.subarray(0, golden.modes[mode].numFrames * NUM_BINS);

const sha256 = (...arrays: readonly (Float32Array | Int32Array)[]): Buffer => {
  const hash = createHash('sha256');
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest();
};

/** Bytes of the state after a step, as in stream_goldens.py. */
const digestOf = (state: SpeakerCache): Buffer => {
  const counts = Int32Array.of(state.numCacheFrames, state.numFifoFrames, Number(state.isCompressed));
  return sha256(counts, state.cache, state.probabilities, state.fifo).subarray(0, 4);
};

/** Encoder frames in the cache, by the number in the first of their mel frames; -1 is silence. */
const framesOf = (cache: Float32Array): number[] =>
  Array.from({ length: cache.length / HIDDEN }, (_, place) => {
    const number = cache[place * HIDDEN + NUM_SPEAKERS]!;
    return number > 0 ? (number - 1) / 8 : -1;
  });

/** Blocks of `frames` mel frames. */
function* blocksOf(mel: Float32Array, frames: number): globalThis.Generator<Float32Array, void> {
  for (let start = 0; start < mel.length; start += frames * NUM_BINS) yield mel.subarray(start, start + frames * NUM_BINS);
}

async function run(mode: StreamMode, frames: number, onStep?: (step: StreamStep) => void): Promise<StreamLogits[]> {
  const blocks = blocksOf(featuresOf(mode), frames);
  const results: StreamLogits[] = [];
  for await (const result of stream('melFrames', blocks, { network: new StubNetwork(), settings, mode, onStep })) results.push(result);
  return results;
}

it('computes the same features as the script', () => {
  expect(sha256(features).toString('hex')).toBe(golden.featuresSha256);
});

describe.each(MODES)('%s, ten minutes', (mode) => {
  const expected = golden.modes[mode];

  it('has the state and logits of the reference after every step', async () => {
    const states: Buffer[] = [];
    const sizes: number[][] = [];
    const caches: number[][] = [];
    let numCompressions = 0;
    let before = sha256(new Float32Array(0));
    const results = await run(mode, 512, ({ state }) => {
      states.push(digestOf(state));
      if (sizes.length < 40) sizes.push([state.numCacheFrames, state.numFifoFrames, Number(state.isCompressed)]);
      const now = sha256(state.cache);
      if (state.isCompressed && !now.equals(before)) {
        numCompressions++;
        if ([1, 2, 10].includes(numCompressions)) caches.push(framesOf(state.cache));
      }
      before = now;
    });
    expect(sizes).toEqual(expected.firstSizes);
    expect(caches).toEqual(expected.caches);
    expect(numCompressions).toBe(expected.numCompressions);
    const wanted = Buffer.from(expected.states, 'base64');
    expect(states.length).toBe(expected.numSteps);
    expect(states.findIndex((digest, step) => !digest.equals(wanted.subarray(4 * step, 4 * step + 4)))).toBe(-1);
    const logits = results.map((result) => result.logits);
    expect(sha256(...logits).toString('hex')).toBe(expected.logitsSha256);
    const active = new Array<number>(NUM_SPEAKERS).fill(0);
    for (const rows of logits) for (const [index, logit] of rows.entries()) if (sigmoid(logit) > 0.5) active[index % NUM_SPEAKERS]!++;
    expect(active).toEqual(expected.activeFrames);
  });
});

/** The cases of `topk_cases` in stream_goldens.py. */
function topkCases(): [number[], number][] {
  const random = new Generator(7);
  const cases = Array.from({ length: 300 }, (_, number): [number[], number] => {
    const length = 1 + random.next(number % 3 === 0 ? 1600 : 300);
    const kinds = 1 + random.next([2, 5, 40, 1000][number % 4]!);
    const k = 1 + random.next(number % 3 === 0 ? Math.max(1, Math.floor(length / 64)) : length);
    return [Array.from({ length }, () => random.next(kinds)), k];
  });
  // Each pivot is bad.
  const range = (first: number, length: number, step: number): number[] => Array.from({ length }, (_, index) => first + index * step);
  const high = range(0, 12, 1).flatMap((step) => [76 - step, 99 - 2 * step]);
  const low = range(38, 38, -1).map((value) => Math.floor(value / 3));
  const values = [...high, ...range(64, 26, -1), ...range(100, 12, -2), ...low];
  return [...cases, ...range(65, 31, 1).map((k): [number[], number] => [values, k])];
}

it('selects the same equal values as torch.topk', () => {
  const wanted = Buffer.from(golden.topk, 'base64');
  const cases = topkCases();
  expect(wanted.length).toBe(2 * cases.length);
  const different = cases.filter(([values, k], number) => {
    const row = Float32Array.from(values, (value) => value || -Infinity);
    const digest = sha256(topk(row, k).sort()).subarray(0, 2);
    return !digest.equals(wanted.subarray(2 * number, 2 * number + 2));
  });
  expect(different).toEqual([]);
});

it('scores frames like the reference', () => {
  const { probabilities: units, digests } = golden.scores;
  const random = new Generator(3);
  const wanted = Buffer.from(digests, 'base64');
  for (const [number, numFrames] of [265, 300, 450, 604].entries()) {
    const pick = (count: number): number => units[random.next(count)]! / 4096;
    const probabilities = Float32Array.from({ length: numFrames * NUM_SPEAKERS }, () => pick(units.length));
    for (let cell = 0; cell < probabilities.length; cell++) if (random.next(8) > 1) probabilities[cell] = pick(20);
    const candidates = { probabilities, numFrames, numSpeakers: NUM_SPEAKERS, firstNewFrame: settings.cache.cacheFrames };
    const scores = frameScores(candidates, settings.cache, scoreCounts(settings));
    expect(sha256(...scores).subarray(0, 4).toString('hex')).toBe(wanted.subarray(4 * number, 4 * number + 4).toString('hex'));
  }
});
