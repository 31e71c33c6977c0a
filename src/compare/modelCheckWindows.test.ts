/** The self-check at the window length and batch size of a run. Networks of a few lines replace both backends. */
import { describe, expect, test } from 'vitest';
import type { EmbedBatch, Embedder } from '../embedding/embedder';
import type { FloatTensor, Graph } from '../ort/graph';
import { VoxlaneError } from '../util/errors';
import { checkEmbeddingWindows, checkSegmentationWindows } from './modelCheck';

const SAMPLE_RATE = 1000;
const WINDOW_SAMPLES = 10 * SAMPLE_RATE;
const MANIFEST = { id: 'm', sampleRate: SAMPLE_RATE, windowSamples: WINDOW_SAMPLES };
const FRAMES = 20;
const DIMENSION = 8;

/** Changes what a backend returns for a batch: one row of values per window, or per window and speaker. */
type Fault = (rows: Float32Array[]) => Float32Array[];

/** Sums over parts of the audio: different audio has different sums. */
function sumsOf(samples: Float32Array, count: number): Float32Array {
  const size = Math.floor(samples.length / count);
  return Float32Array.from({ length: count }, (_, part) =>
    samples.subarray(part * size, (part + 1) * size).reduce((sum, value, i) => sum + value * Math.sin(i), 1),
  );
}

const windowsOf = (samples: Float32Array, numWindows: number): Float32Array[] => {
  const size = samples.length / numWindows;
  return Array.from({ length: numWindows }, (_, window) => samples.subarray(window * size, (window + 1) * size));
};

function makeGraph(fault: Fault = (rows) => rows): Graph & { batches: number[] } {
  const batches: number[] = [];
  return {
    batches,
    run: (input) => {
      const { data, shape } = input as FloatTensor;
      const numWindows = shape[0]!;
      batches.push(numWindows);
      const rows = fault(windowsOf(data, numWindows).map((window) => sumsOf(window, FRAMES)));
      return Promise.resolve({ data: Float32Array.from(rows.flatMap((row) => [...row])), shape: [numWindows, FRAMES] });
    },
    release: () => Promise.resolve(),
  };
}

interface EmbedderFaults {
  readonly batch?: Fault;
  readonly features?: (features: Float32Array) => Float32Array;
}

function makeEmbedder({ batch = (rows) => rows, features = (values) => values }: EmbedderFaults = {}): Embedder & { batches: number[] } {
  const batches: number[] = [];
  return {
    batches,
    embed: ({ windows, activity, numWindows, numSpeakers }: EmbedBatch) => {
      batches.push(numWindows);
      const frames = activity.length / numWindows / numSpeakers;
      const rows = windowsOf(windows, numWindows).flatMap((window, index) =>
        Array.from({ length: numSpeakers }, (_, speaker) => {
          const mask = Array.from({ length: frames }, (_, frame) => activity[(index * frames + frame) * numSpeakers + speaker]!);
          if (!mask.includes(1)) return new Float32Array(DIMENSION).fill(NaN);
          return sumsOf(window.filter((_, i) => mask[Math.floor((i * frames) / window.length)]), DIMENSION);
        }));
      const embeddings = Float32Array.from(batch(rows).flatMap((row) => [...row]));
      return Promise.resolve({ embeddings, fbankSeconds: 0, embeddingSeconds: 0 });
    },
    embedSegment: (samples, onFeatures) => {
      onFeatures(features(sumsOf(samples, 10 * FRAMES)));
      return Promise.resolve(sumsOf(samples, DIMENSION));
    },
    close: () => Promise.resolve(),
  };
}

/** Adds `greater` to the values of one row. */
const spoil = (rows: Float32Array[], row: number, greater = 0.25): Float32Array[] =>
  rows.map((values, index) => (index === row ? values.map((value) => value + greater) : values));
const swap = (rows: Float32Array[], one: number, other: number): Float32Array[] =>
  rows.map((values, index) => (index === one ? rows[other]! : index === other ? rows[one]! : values));

describe('segmentation', () => {
  const check = (fault: Fault | undefined, numWindows: number) =>
    checkSegmentationWindows(makeGraph(), makeGraph(fault), MANIFEST, numWindows);

  test('a correct backend passes at any batch size and runs one batch; the reference computes few windows', async () => {
    for (const numWindows of [1, 2, 3, 8, 32]) {
      const [reference, graph] = [makeGraph(), makeGraph()];
      const check = await checkSegmentationWindows(reference, graph, MANIFEST, numWindows);
      expect(check).toMatchObject({ model: 'm', passed: true, stages: [{ stage: `classifier (${numWindows} × 10 s)`, maxAbs: 0 }] });
      expect(graph.batches).toEqual([numWindows]);
      expect(reference.batches).toEqual(Array(Math.min(numWindows, 4)).fill(1));
    }
  });

  test.each<[string, Fault, number]>([
    ['a fault in batches of two or more', (rows) => (rows.length >= 2 ? spoil(rows, 1) : rows), 2],
    ['the last window of a batch', (rows) => spoil(rows, 31), 32],
    ['the first window twice', (rows) => rows.map((row, index) => (index === 9 ? rows[0]! : row)), 32],
    ['neighboring windows swapped', (rows) => swap(rows, 6, 7), 8],
    ['the second half repeats the first', (rows) => rows.map((_, index) => rows[index % (rows.length / 2)]!), 16],
    ['the last frames of a window', (rows) => rows.map((row) => row.map((value, frame) => (frame >= 15 ? value + 0.25 : value))), 1],
  ])('detects a fault: %s', async (_, fault, numWindows) => {
    expect((await check(fault, numWindows)).passed).toBe(false);
  });

  test('rounding is not a fault', async () => {
    expect((await check((rows) => spoil(rows, 0, 1e-3), 2)).passed).toBe(true);
  });

  test('the stage fails if wrong values stop the run; a lost device throws', async () => {
    const stop = (code: 'gpu-wrong' | 'gpu-lost'): Fault => () => {
      throw new VoxlaneError({ code, problem: 'all zeros' });
    };
    const verdict = await check(stop('gpu-wrong'), 2);
    expect(verdict).toMatchObject({ passed: false, stages: [{ stage: 'classifier (2 × 10 s) (all zeros)' }] });
    await expect(check(stop('gpu-lost'), 2)).rejects.toMatchObject({ code: 'gpu-lost' });
  });
});

describe('embedding', () => {
  const check = (faults: EmbedderFaults, numWindows: number, pooling: 'frames' | 'statistics' = 'frames', reference = makeEmbedder()) =>
    checkEmbeddingWindows(reference, makeEmbedder(faults), { ...MANIFEST, pooling }, { windowSamples: WINDOW_SAMPLES, numWindows });

  test('a correct backend passes: features and embedding of a whole window, and the batch', async () => {
    const [alone, batch] = [await check({}, 1), await check({}, 8)];
    expect(alone).toMatchObject({ passed: true, stages: [{ stage: 'fbank (10 s)' }, { stage: 'embedding (10 s)' }, { stage: 'embedding (1 × 10 s)' }] });
    expect(batch.stages.map(({ stage, passed }) => [stage, passed])).toEqual([
      ['fbank (10 s)', true],
      ['embedding (10 s)', true],
      ['embedding (8 × 10 s)', true],
    ]);
  });

  test.each<[string, EmbedderFaults, number, string]>([
    ['features wrong beyond some length', { features: (values) => values.map((value, i) => (i >= 150 ? value + 0.25 : value)) }, 1, 'fbank (10 s)'],
    ['a fault in every batch', { batch: (rows) => spoil(rows, 0) }, 1, 'embedding (1 × 10 s)'],
    ['a fault in batches of two or more', { batch: (rows) => (rows.length >= 2 ? spoil(rows, 1) : rows) }, 2, 'embedding (2 × 10 s)'],
    ['the last window of a batch', { batch: (rows) => (rows.length >= 2 ? spoil(rows, rows.length - 1) : rows) }, 32, 'embedding (32 × 10 s)'],
    ['another speaker of a window', { batch: (rows) => (rows.length >= 2 ? spoil(rows, 5) : rows) }, 2, 'embedding (2 × 10 s)'],
    ['windows swapped', { batch: (rows) => (rows.length >= 2 ? swap(rows, 0, rows.length - 1) : rows) }, 4, 'embedding (4 × 10 s)'],
  ])('detects and names the stage: %s', async (_, faults, numWindows, stage) => {
    const { passed, stages } = await check(faults, numWindows);
    expect(passed).toBe(false);
    expect(stages.find((each) => !each.passed)?.stage).toBe(stage);
  });

  test('compares every window of a batch with statistics pooling, and computes each window on WASM once for each speech', async () => {
    const numWindows = 16;
    /** Rows of a window: each has eight speakers. */
    const broken = (window: number): EmbedderFaults => ({ batch: (rows) => (rows.length > 1 ? spoil(rows, 8 * window + 3) : rows) });
    for (const window of [0, 1, 7, 15]) {
      const { passed, stages } = await check(broken(window), numWindows, 'statistics');
      expect([passed, stages.at(-1)?.passed], `window ${window}`).toEqual([false, false]);
    }
    // Only the first and the last window have speakers without it.
    expect((await check(broken(7), numWindows)).passed).toBe(true);
    const reference = makeEmbedder();
    expect((await check({}, numWindows, 'statistics', reference)).passed).toBe(true);
    // Four different windows, and other speech in the last.
    expect(reference.batches).toEqual([1, 1, 1, 1, 1]);
    expect((await check({}, 1, 'statistics')).passed).toBe(true);
  });
});
