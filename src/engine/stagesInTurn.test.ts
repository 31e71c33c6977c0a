/** Single stages and the reclusterer on a generated meeting. Stubs take the place of the models; the clustering is real. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bundledTwoCovariance } from '../../test/clustering/twoCovariance';
import { fetchFiles } from '../../test/gpu/openInNode';
import { served, ThreadlessHandle } from '../../test/nemotron/threadless';
import { meeting } from '../../test/timeline/meeting';
import { parseManifest } from '../store/manifest';
import { Assembler } from '../timeline/assembler';
import type { Engine } from './engine';
import { Reclusterer } from './reclusterer';
import { CAMPPLUS } from './settings';
import { cluster, embed, fbank, segment } from './singleStages';
import type { KeptVoices } from './types';

const hidden = vi.hoisted(() => ({ engine: {} }));
vi.mock(import('../../workers/protocol'), async (original) => ({
  ...(await original()),
  moved: (message) => message,
  serve: (api: object) => { served.set('clustering', api); },
}));
vi.mock(import('../../workers/spawn'), async (original) => ({ ...((await original()) as object), spawnClusteringWorker: () => new ThreadlessHandle('clustering') }) as never);
vi.mock(import('./singleStagesEngine'), async (original) => ({ ...(await original()), withEngine: (_, use) => use(hidden.engine as Engine) }));
const at = (folder: string): string => new URL(`../../${folder}/`, import.meta.url).href;
vi.mock(import('./defaultFiles'), () => ({ defaultFiles: () => Promise.resolve({ models: at('models'), runtime: '', goldens: '' }) }));
await import('../../workers/clustering.worker');

const manifest = (id: string): unknown => JSON.parse(readFileSync(`models/${id}/manifest.json`, 'utf8'));
const segmentation = parseManifest('segmentation', manifest(CAMPPLUS.segmentation), 'segmentation');
const embedding = parseManifest('embedding', manifest(CAMPPLUS.embedding), 'embedding');
const NUM_WINDOWS = 30;
const { sampleRate, hopSamples, windowSamples, numFrames, powerset: { numSpeakers } } = segmentation;
const { voiceOfFrame: _, ...outputs } = meeting({ numWindows: NUM_WINDOWS, numVoices: 3, dimension: embedding.embeddingSize, noise: 0.3, seed: 4 });
/** The value of each sample is its position, so a stub can identify its window. */
const samples = Float32Array.from({ length: windowSamples + (NUM_WINDOWS - 1) * hopSamples }, (_value, i) => i);
const partOf = <Values extends Float32Array | Uint8Array>(values: Values, windows: Float32Array): Values => {
  const size = values.length / NUM_WINDOWS;
  const from = windows[0]! / hopSamples;
  return values.slice(from * size, (from + windows.length / windowSamples) * size) as Values;
};
const pool = (api: object): object => ({ size: 2, newRun: () => undefined, call: (use: (remote: object) => unknown) => Promise.resolve(use(api)) });

const backend = { name: 'wasm', adapter: null, threads: 1, reason: '', selfCheck: null } as const;
const ENGINE = {
  segmentationManifest: segmentation,
  embeddingManifest: embedding,
  segmentationModel: 'a'.repeat(64),
  embeddingModel: 'b'.repeat(64),
  settings: CAMPPLUS,
  backend,
  batchWindows: { current: 4 },
  segmentation: pool({ segment: (windows: Float32Array) => ({ activity: partOf(outputs.activity, windows), seconds: 0 }) }),
  embedding: pool({
    embed: (windows: Float32Array, activity: Uint8Array) => {
      expect(activity).toEqual(partOf(outputs.activity, windows));
      return { embeddings: partOf(outputs.embeddings, windows) };
    },
  }),
};

beforeEach(() => {
  fetchFiles();
  vi.stubGlobal('document', { baseURI: 'https://example.org/' });
  hidden.engine = ENGINE;
});
afterEach(() => { vi.unstubAllGlobals(); });

test('the stages pass on what the models return, window by window', async () => {
  const activity = await segment(samples);
  expect(activity.shape).toEqual([NUM_WINDOWS, numFrames, numSpeakers]);
  expect(activity.data).toEqual(outputs.activity);
  const embeddings = await embed(samples, activity);
  const isActive = (window: number): boolean => partOf(outputs.activity, samples.subarray(window * hopSamples, window * hopSamples + windowSamples)).includes(1);
  const size = outputs.embeddings.length / NUM_WINDOWS;
  for (let window = 0; window < NUM_WINDOWS; window++) {
    const expected = isActive(window) ? outputs.embeddings.slice(window * size, (window + 1) * size) : new Float32Array(size).fill(NaN);
    expect(embeddings.data.slice(window * size, (window + 1) * size)).toEqual(expected);
  }
  await expect(embed(samples.subarray(1), activity)).rejects.toMatchObject({ code: 'options' });
});

test('clustering equals that of a run, also again from kept voices with other numbers of speakers', async () => {
  const activity = await segment(samples);
  const embeddings = await embed(samples, activity);
  const assembler = new Assembler({ ...outputs, options: { ...CAMPPLUS.clustering, minSpeakers: 1, maxSpeakers: Infinity }, minDurations: CAMPPLUS.minDurations }, bundledTwoCovariance());
  const clusters = await cluster(activity, embeddings);
  expect(clusters.turns.length).toBeGreaterThan(2);
  expect(clusters.hardClusters.data).toEqual(assembler.assemble({ minSpeakers: 1, maxSpeakers: Infinity }).hardClusters);
  const bySpeakers = [];
  for (const options of [{}, { speakers: 1 }, { speakers: 2 }, { minDurationOn: 0.5 }]) bySpeakers.push({ options, ...(await cluster(activity, embeddings, options)) });
  expect(bySpeakers.map(({ speakers }) => speakers.length)).toEqual([3, 1, 2, 3]);
  await expect(cluster(activity, { ...embeddings, preset: 'community-1' })).rejects.toMatchObject({ code: 'options' });

  const voices: KeptVoices = {
    version: 1,
    preset: 'campplus',
    speed: 'exact',
    segmentation: activity.model,
    embedding: embeddings.model,
    startSeconds: 0,
    clustering: CAMPPLUS.clustering,
    dendrogram: null,
    ...outputs,
    minDurations: CAMPPLUS.minDurations,
  };
  const reclusterer = await Reclusterer.create(voices);
  for (const { options, turns, exclusiveTurns } of bySpeakers) expect(await reclusterer.cluster(options)).toMatchObject({ turns, exclusiveTurns });
  await expect(reclusterer.cluster({ speakers: 0 })).rejects.toMatchObject({ code: 'options' });
  reclusterer.dispose();
  await expect(reclusterer.cluster()).rejects.toMatchObject({ code: 'disposed' });
});

test('features of a part are a part of the features', async () => {
  const sound = Float32Array.from({ length: sampleRate }, (_value, i) => 0.3 * Math.sin(i * i / 9000));
  const { data, shape, hopSamples: hop, frameSamples } = await fbank(sound);
  expect(shape).toEqual([1 + Math.floor((sound.length - frameSamples) / hop), embedding.fbank.numMelBins]);
  const later = await fbank(sound.subarray(20 * hop));
  expect(later.data).toEqual(data.subarray(20 * shape[1]));
  await expect(fbank(new Float32Array(0))).rejects.toMatchObject({ code: 'audio-no-samples' });
});
