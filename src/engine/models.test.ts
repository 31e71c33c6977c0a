/** Reports of the two models. Functions in this thread, controlled by the test, replace the workers. */
import { describe, expect, test } from 'vitest';
import type { DecodedBatch, LocalResults } from '../../workers/contracts';
import { seededRandom } from '../../test/clustering/random';
import { type Core, coreOf } from '../embedding/core';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import { runModels } from './run';
import { withOwnArtifact, type StageEvent } from './stages';

const NUM_FRAMES = 5;
const NUM_SPEAKERS = 2;
const DIMENSION = 3;
const WINDOW_SAMPLES = 2;
const CELLS = NUM_FRAMES * NUM_SPEAKERS;
const ROWS = NUM_SPEAKERS * DIMENSION;
/** Seconds of each window in each model. */
const SECONDS = 1;
const SILENT = 5;

/** Activity of a window: the number in its first sample in binary, so that all windows differ. */
const activityOf = (window: number): number[] =>
  window === SILENT ? Array<number>(CELLS).fill(0) : Array.from({ length: CELLS }, (_, bit) => ((window + 1) >> bit) & 1);
const embeddingsOf = (window: number): number[] => Array.from({ length: ROWS }, (_, index) => window + index / 10);
const expectedEmbeddings = (window: number): number[] =>
  window === SILENT ? Array<number>(ROWS).fill(NaN) : embeddingsOf(window).map(Math.fround);

interface Setting {
  readonly numWindows: number;
  readonly batch: number;
  readonly backend: 'wasm' | 'webgpu';
  /** Maximum number of windows that fit into the memory of each model. */
  readonly fits?: { readonly segmentation: number; readonly embedding: number };
  /** Seed for the order in which calls end. */
  readonly seed?: number;
  readonly speed?: 'exact' | 'fast';
}

const SEGMENTATION = { sampleRate: 1, windowSamples: WINDOW_SAMPLES, hopSamples: 1, numFrames: NUM_FRAMES, powerset: { numSpeakers: NUM_SPEAKERS } };

function makeEngine({ numWindows, batch, backend, fits = { segmentation: Infinity, embedding: Infinity }, seed = 1, speed = 'exact' }: Setting) {
  const appended: LocalResults[] = [];
  const cores = new Map<number, Core | undefined>();
  const random = seededRandom(seed);
  const later = async <Value>(value: Value): Promise<Value> => {
    const turns = Math.floor(random() * 12);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    return value;
  };
  const windowsIn = (windows: Float32Array): number[] =>
    Array.from({ length: windows.length / WINDOW_SAMPLES }, (_, index) => windows[index * WINDOW_SAMPLES]!);
  const room = (windows: readonly number[], most: number): void => {
    if (windows.length > most) throw new VoxlaneError({ code: 'gpu-memory', problem: 'full' });
  };
  let next = 0;
  const batchWindows = { current: batch };
  const decode = {
    next: (count: number): Promise<DecodedBatch | null> => {
      const length = Math.min(count, numWindows - next);
      if (length === 0) return Promise.resolve(null);
      const windows = Float32Array.from({ length: length * WINDOW_SAMPLES }, (_, i) => next + Math.floor(i / WINDOW_SAMPLES));
      next += length;
      return Promise.resolve({ windows, numWindows: length, isLast: next === numWindows, decodedSamples: next + 1, seconds: 0 } as DecodedBatch);
    },
    close: () => undefined,
  };
  const segmentation = {
    segment: async (samples: Float32Array) => {
      const windows = windowsIn(samples);
      room(windows, fits.segmentation);
      return later({ activity: Uint8Array.from(windows.flatMap(activityOf)), seconds: SECONDS * windows.length });
    },
  };
  const embedding = {
    embed: async (samples: Float32Array, activity: Uint8Array, sizes: { readonly cores?: readonly Core[] }) => {
      const windows = windowsIn(samples);
      windows.forEach((window, index) => cores.set(window, sizes.cores?.[index]));
      room(windows, fits.embedding);
      expect([...activity]).toEqual(windows.flatMap(activityOf));
      const seconds = SECONDS * windows.length;
      return later({ embeddings: Float32Array.from(windows.flatMap(embeddingsOf)), fbankSeconds: seconds, embeddingSeconds: seconds });
    },
  };
  const clustering = {
    begin: () => Promise.resolve(),
    append: (results: LocalResults) => {
      appended.push(structuredClone(results));
      return Promise.resolve();
    },
  };
  const callOn = (api: object, size = 2) => ({ size, call: (use: (remote: never) => unknown) => Promise.resolve(api as never).then(use) });
  const engine = {
    decode: callOn(decode),
    segmentation: callOn(segmentation),
    embedding: callOn(embedding),
    clustering: callOn(clustering),
    segmentationManifest: SEGMENTATION,
    embeddingManifest: { embeddingSize: DIMENSION },
    settings: { fastEmbedHop: 5 },
    speed,
    backend: { name: backend },
    batchWindows,
  } as unknown as Engine;
  return { engine, appended, batchWindows, cores };
}

interface Run {
  readonly events: StageEvent[];
  readonly appended: LocalResults[];
  readonly timings: Readonly<Record<string, number | undefined>>;
  /** Windows passed to the embedding model, with the frames to embed. */
  readonly cores: ReadonlyMap<number, Core | undefined>;
}

async function run(setting: Setting, expectedSeconds: number | null, onEvent: (event: StageEvent) => void = () => undefined): Promise<Run> {
  const { engine, appended, cores } = makeEngine(setting);
  const events: StageEvent[] = [];
  const { timings } = await runModels(
    engine,
    expectedSeconds,
    (event) => {
      const own = withOwnArtifact(event);
      events.push(structuredClone(own));
      onEvent(own);
    },
    () => undefined,
  );
  return { events, appended, timings, cores };
}

const windows = (count: number): number[] => [...Array(count).keys()];
const artifactsOf = (events: readonly StageEvent[], stage: string): number[] =>
  events.filter((event) => event.stage === stage).flatMap(({ artifact }) => [...(artifact?.data ?? [])]);

/** Checks the guarantees of the hook for stages with windows. */
function expectContract({ events }: Run, numWindows: number): void {
  for (const stage of ['segmentation', 'fbank', 'embedding']) {
    let before = 0;
    for (const { artifact, completed, total } of events.filter((event) => event.stage === stage)) {
      expect(completed).toBeGreaterThan(before);
      expect(completed).toBeLessThanOrEqual(total);
      if (stage !== 'fbank') {
        expect(artifact?.shape[0]).toBe(completed - before);
        expect(artifact?.data).toHaveLength(artifact!.shape.reduce((product, size) => product * size, 1));
      }
      before = completed;
    }
    expect(before, stage).toBe(numWindows);
  }
  expect(artifactsOf(events, 'segmentation')).toEqual(windows(numWindows).flatMap(activityOf));
  expect(artifactsOf(events, 'embedding')).toEqual(windows(numWindows).flatMap(expectedEmbeddings));
}

const SEEDS = windows(20).map((index) => index + 1);

describe('the hook receives each window of each stage once and in order', () => {
  test.each(SEEDS)('on WASM, in any order of completion (%i)', async (seed) => {
    expectContract(await run({ numWindows: 21, batch: 4, backend: 'wasm', seed }, 22), 21);
  });

  test.each(SEEDS)('on a GPU with memory for fewer windows than planned (%i)', async (seed) => {
    const fits = { segmentation: 1 + (seed % 7), embedding: 1 + (seed % 3) };
    const finished = await run({ numWindows: 21, batch: 8, backend: 'webgpu', fits, seed }, 22);
    expectContract(finished, 21);
    // Calls that did not fit returned no result, and calls that fit were not repeated.
    expect(finished.timings).toMatchObject({ segmentation: 21 * SECONDS, fbank: 20 * SECONDS, embedding: 20 * SECONDS });
  });

  test.each([[10], [40], [null]])('if the container declares %s s', async (expectedSeconds) => {
    expectContract(await run({ numWindows: 21, batch: 4, backend: 'wasm' }, expectedSeconds), 21);
  });

  test('for 480 s, which are 471 windows', async () => {
    expectContract(await run({ numWindows: 471, batch: 4, backend: 'wasm' }, 480), 471);
  });

  test('and rejects if a single window does not fit into memory', async () => {
    const work = run({ numWindows: 5, batch: 4, backend: 'webgpu', fits: { segmentation: 4, embedding: 0 } }, 6);
    await expect(work).rejects.toMatchObject({ code: 'gpu-memory' });
  });
});

describe('the embedding model receives', () => {
  test('all frames of all windows with speech with `exact`', async () => {
    const { cores } = await run({ numWindows: 13, batch: 4, backend: 'wasm' }, 14);
    expect(cores).toEqual(new Map(windows(13).filter((window) => window !== SILENT).map((window) => [window, undefined])));
  });

  test.each([
    ['wasm', Infinity],
    ['webgpu', Infinity],
    ['webgpu', 1],
  ] as const)('the cores of a window per hop and of the last window with `fast` on %s, if %f windows fit', async (backend, embedding) => {
    const { cores } = await run({ numWindows: 13, batch: 4, backend, speed: 'fast', fits: { segmentation: Infinity, embedding } }, 14);
    expect(cores).toEqual(new Map([0, 10, 12].map((window) => [window, coreOf(window, window === 12, 5, SEGMENTATION)])));
  });
});

test('a hook that changes its values does not affect the run', async () => {
  const setting = { numWindows: 21, batch: 4, backend: 'wasm' } as const;
  const { appended } = await run(setting, 22, ({ artifact }) => artifact?.data.fill(7));
  const all = (key: 'activity' | 'embeddings'): number[] => appended.flatMap((results) => [...results[key]]);
  expect(all('activity')).toEqual(windows(21).flatMap(activityOf));
  expect(all('embeddings')).toEqual(windows(21).flatMap(expectedEmbeddings));
});
