/** Runs of the preset nemotron with seeded weights and one layer. The worker code runs in this thread. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { remembered, serveWorkers } from '../../test/nemotron/threadlessMocks';
import { fetchFiles } from '../../test/gpu/openInNode';
import { LiveStream } from '../../test/nemotron/liveStream';
import { writeSeededFolder } from '../../test/nemotron/modelFolder';
import { served } from '../../test/nemotron/threadless';
import type { ClusteringWorkerApi, EmbeddingWorkerApi, SortformerWorkerApi } from '../../workers/contracts';
import { testConversation } from '../embedding/testSpeech';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { NEMOTRON } from '../../test/seededNemotron';
import { openSeeded } from '../../test/sortformerNetworkTests';
import * as session from '../ort/session';
import { probabilitiesOf } from '../sortformer/activity';
import { cpuFrontEnd } from '../sortformer/melFrontEnd';
import { stream } from '../sortformer/speakerStream';
import type { StoredModel } from '../store/cacheTools';
import { ModelStore } from '../store/modelStore';
import { STREAMING_MODES } from '../store/streamModes';
import { parseStreamingSettings } from '../store/streamingSettings';
import { formName } from '../weights/formNames';
import { voiceSimilarity } from './assembly';
import { VoxlaneError } from '../util/errors';
import { Diarizer } from './diarizer';
import { presetInfo } from './presets';
import { Reclusterer } from './reclusterer';
import { segment } from './singleStages';
import type { StageEvent } from './stages';
import type { CheckedDiarizerOptions } from './options';
import { NEMOTRON as STREAM_SETTINGS } from './settings';
import { checkWindowedRun } from './streamRules';
import { startStreamVoices } from './streamVoices';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelCheck, Turn } from './types';

await serveWorkers('decode', 'sortformer', 'embedding', 'clustering');

const NUM_LAYERS = 1;
const NUM_SPEAKERS = 8;
const SAMPLE_RATE = 16_000;
const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const model = writeSeededFolder(folder, NUM_LAYERS);
// For runs with embeddings.
for (const id of ['campplus-zh-en', 'plda-campplus-zh-en']) cpSync(`models/${id}`, join(folder, id), { recursive: true });
const runtime = new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url).href;
const samples = testConversation(SAMPLE_RATE, 7 * SAMPLE_RATE + 77, 3);
const file = new File([model.weights], 'model.safetensors');

vi.mock(import('./defaultFiles'), () => ({ defaultFiles: () => Promise.resolve({ models: model.base, runtime, goldens: '' }) }));

/** A self-check of the embedding model, which other tests run. */
const checked = (passed: boolean) => ({ model: 'campplus-zh-en', backend: 'kernels', passed, stages: [] }) as unknown as ModelCheck;

beforeEach(() => {
  fetchFiles();
  vi.spyOn(served.get('embedding') as EmbeddingWorkerApi, 'selfCheck').mockResolvedValue(checked(true));
  vi.stubGlobal('document', { baseURI: 'https://example.org/' });
  vi.stubGlobal('navigator', { userAgent: `Node ${process.version}`, hardwareConcurrency: 1 });
});
afterEach(() => { vi.unstubAllGlobals(); });
afterAll(() => { rmSync(folder, { recursive: true }); });

const open = (options: DiarizerOptions = {}): Promise<Diarizer> => Diarizer.create({ preset: 'nemotron', modelFile: file, ...options });

/** Activity of all frames as a run reports it, and its other reports. */
class Reports {
  readonly events: StageEvent[] = [];
  readonly hook = (event: StageEvent): void => { this.events.push(event); };

  /** Axes (frame, speaker), 0 to 1. */
  get probabilities(): number[] {
    return this.events.flatMap(({ stage, artifact }) => (stage === 'segmentation' && artifact ? [...artifact.data] : []));
  }
}

/** Turns of each column with its own loop over the frames: [column, start, end] in frames. */
function runsOf(probabilities: readonly number[], isActive: (frame: readonly number[], column: number) => boolean): [number, number, number][] {
  const frames = Array.from({ length: probabilities.length / NUM_SPEAKERS }, (_, row) => probabilities.slice(row * NUM_SPEAKERS, (row + 1) * NUM_SPEAKERS));
  return Array.from({ length: NUM_SPEAKERS }, (_, column) => column).flatMap((column) => {
    const active = [...frames.map((frame) => isActive(frame, column)), false];
    const starts = active.flatMap((value, frame) => (value && !active[frame - 1] ? [frame] : []));
    return starts.map((start): [number, number, number] => [column, start, active.indexOf(false, start)]);
  }).sort((a, b) => a[1] - b[1] || a[2] - b[2] || a[0] - b[0]);
}

/** The runs as turns with labels in the order of the first turns of `all`. */
function asTurns(runs: readonly [number, number, number][], all: readonly [number, number, number][]) {
  const order = [...new Set(all.map(([column]) => column))];
  return runs.map(([column, start, end]) => ({ startSeconds: start / 100, endSeconds: end / 100, speaker: `SPEAKER_0${order.indexOf(column)}`, confidence: null }));
}

let whole: Promise<{ readonly diarizer: Diarizer; readonly result: DiarizationResult; readonly reports: Reports }> | undefined;

/** A diarizer that the tests share, and its result for all samples. */
const shared = () => (whole ??= (async () => {
  const reports = new Reports();
  const diarizer = await open();
  const result = await diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, hook: reports.hook });
  return { diarizer, result, reports };
})());

describe('a run of nemotron', () => {
  test('has the turns of the probabilities that exceed the threshold', async () => {
    const { result, reports } = await shared();
    const { probabilities } = reports;
    expect(probabilities).toHaveLength(Math.floor(samples.length / 160) * NUM_SPEAKERS);
    const all = runsOf(probabilities, (frame, column) => frame[column]! > 0.5);
    const single = runsOf(probabilities, (frame, column) => frame[column]! > 0.5 && frame.indexOf(Math.max(...frame)) === column);
    expect(all.length).toBeGreaterThan(20);
    expect(result.turns).toEqual(asTurns(all, all));
    expect(result.exclusiveTurns).toEqual(asTurns(single, all));
    expect(result.durationSeconds).toBe(samples.length / SAMPLE_RATE);
  });

  test('states what ran, and that there are no embeddings', async () => {
    const { result } = await shared();
    expect(result).toMatchObject({ preset: 'nemotron', embeddingModel: null, confidenceKind: null, minDurationOn: 0, minDurationOff: 0, modelNote: expect.stringContaining('could not be stored') as string });
    expect(result.models).toEqual([{ stage: 'segmentation', id: 'nemotron-3-diarization', sha256: model.sha256 }]);
    expect(result.backend).toMatchObject({ name: 'wasm', selfCheck: [{ model: 'nemotron-3-diarization', backend: 'wasm', passed: true }] });
    expect(result.backend.reason).toContain('int8 weights, and reproduced the golden outputs');
    expect(result.speakers.map(({ label }) => label)).toEqual([...new Set(result.turns.map(({ speaker }) => speaker))]);
    const [first] = result.speakers;
    const own = result.turns.filter(({ speaker }) => speaker === first!.label);
    expect(first).toMatchObject({ centroid: null, embeddingModel: null });
    expect(first!.speechSeconds).toBeCloseTo(own.reduce((sum, { startSeconds, endSeconds }) => sum + endSeconds - startSeconds, 0), 9);
    expect(result.speakerCount).toEqual({ value: result.speakers.length, alternatives: [], unmet: null });
    expect(() => voiceSimilarity(first!, first!)).toThrow(expect.objectContaining({ code: 'options' }));
  });

  test('reports the progress of both stages up to the end', async () => {
    const { reports } = await shared();
    for (const stage of ['decode', 'segmentation']) {
      const own = reports.events.filter((event) => event.stage === stage);
      const completed = own.map((event) => event.completed);
      expect(completed).toEqual(completed.toSorted((a, b) => a - b));
      expect(own.at(-1)).toMatchObject({ completed: samples.length / SAMPLE_RATE, total: samples.length / SAMPLE_RATE });
      expect(own.every((event) => event.completed <= event.total)).toBe(true);
    }
  });

  test('selects a segment, and applies minimum durations', async () => {
    const { diarizer } = await shared();
    const run = (options: DiarizeOptions) => diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, startSeconds: 2, durationSeconds: 3, ...options });
    const plain = await run({});
    const part = await diarizer.diarize(samples.slice(2 * SAMPLE_RATE, 5 * SAMPLE_RATE), { sampleRate: SAMPLE_RATE });
    const later = ({ startSeconds, endSeconds, ...turn }: Turn): Turn => ({ ...turn, startSeconds: startSeconds + 2, endSeconds: endSeconds + 2 });
    expect(plain.turns).toEqual(part.turns.map(later));
    expect(plain.durationSeconds).toBe(3);
    const long = await run({ minDurationOn: 0.3 });
    expect(long.turns.map(({ startSeconds }) => startSeconds)).toEqual(plain.turns.filter(({ startSeconds, endSeconds }) => endSeconds - startSeconds >= 0.3).map(({ startSeconds }) => startSeconds));
    expect(long.turns.length).toBeLessThan(plain.turns.length);
    expect(long.minDurationOn).toBe(0.3);
    const filled = await run({ minDurationOff: 0.5 });
    expect(filled.turns.length).toBeLessThan(plain.turns.length);
  });

  test('loads no other model for bounds that exclude nothing', async () => {
    const { diarizer } = await shared();
    const load = vi.spyOn(served.get('embedding') as EmbeddingWorkerApi, 'load');
    const { speakers, embeddingModel } = await diarizer.diarize(samples.slice(0, 2 * SAMPLE_RATE), { sampleRate: SAMPLE_RATE, minSpeakers: 1, maxSpeakers: 8 });
    expect(speakers.length).toBeLessThanOrEqual(8);
    expect(embeddingModel).toBeNull();
    expect(load).not.toHaveBeenCalled();
    load.mockRestore();
  });

  test('reports samples that are not numbers, and continues with the next recording', async () => {
    const { diarizer } = await shared();
    const bad = samples.slice(0, SAMPLE_RATE).fill(NaN, 500, 501);
    await expect(diarizer.diarize(bad, { sampleRate: SAMPLE_RATE })).rejects.toMatchObject({ code: 'audio-not-finite' });
    const { durationSeconds } = await diarizer.diarize(samples.slice(0, 100), { sampleRate: SAMPLE_RATE });
    expect(durationSeconds).toBe(100 / SAMPLE_RATE);
  });
});

describe('streaming modes', () => {
  const short = samples.subarray(0, 1.5 * SAMPLE_RATE + 77);

  test.each(STREAMING_MODES)('%s gives the probabilities of its steps', async (streamingMode) => {
    const { diarizer, result: offline } = await shared();
    const reports = new Reports();
    const result = await diarizer.diarize(short, { sampleRate: SAMPLE_RATE, streamingMode, hook: reports.hook });
    expect([offline.streamingMode, result.streamingMode]).toEqual(['offline', streamingMode]);
    const settings = parseStreamingSettings(nemotron.streaming, 'manifest.json');
    const network = await openSeeded(NUM_LAYERS, { form: 'int8' });
    const expected: number[] = [];
    for await (const { logits } of stream('samples', [short], { network, settings, mode: streamingMode, frontEnd: cpuFrontEnd(NEMOTRON) })) expected.push(...probabilitiesOf(logits));
    await network.release();
    expect(reports.probabilities).toEqual(expected);
  });

  test.each(STREAMING_MODES)('%s: a live stream has its decisions as soon as the model has the samples that it needs', async (streamingMode) => {
    const { diarizer } = await shared();
    const live = new LiveStream(samples, streamingMode, 3);
    const [streamed, whole] = [new Reports(), new Reports()];
    const hook = (event: StageEvent): void => {
      streamed.hook(event);
      live.hook(event);
    };
    const options = { sampleRate: SAMPLE_RATE, streamingMode };
    const result = await diarizer.diarize(live.pieces(), { ...options, hook });
    expect(live.counts).toEqual(live.expected);
    // The size of the pieces changes nothing.
    const { turns } = await diarizer.diarize(samples.slice(0, live.numSamples), { ...options, hook: whole.hook });
    expect(streamed.probabilities).toEqual(whole.probabilities);
    expect(result.turns).toEqual(turns);
  }, 120_000);

  test('must have a known name', async () => {
    const { diarizer } = await shared();
    const rejected = diarizer.diarize(short, { sampleRate: SAMPLE_RATE, streamingMode: 'low' as never });
    await expect(rejected).rejects.toMatchObject({ code: 'options', problem: 'The option streamingMode is low', expected: expect.stringContaining('ultra_low_latency') as string });
  });

  test('do not exist for presets with windows', () => {
    expect(() => { checkWindowedRun('campplus', { streamingMode: 'low_latency' }); }).toThrow(expect.objectContaining({ code: 'options', problem: 'The option streamingMode is low_latency' }));
    checkWindowedRun('campplus', { streamingMode: 'offline' });
  });
});

describe('a run of nemotron with embeddings', () => {
  const timesOf = (turns: readonly Turn[]) => turns.map(({ startSeconds, endSeconds, speaker }) => ({ startSeconds, endSeconds, speaker }));
  let kept: Promise<{ readonly result: DiarizationResult; readonly reports: Reports }> | undefined;
  /** The result with kept voices, for all samples. */
  const withVoices = () => (kept ??= (async () => {
    const { diarizer } = await shared();
    const reports = new Reports();
    return { result: await diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, keepVoices: true, hook: reports.hook }), reports };
  })());

  test('has the same turns, with confidences and centroids, if no number is requested', async () => {
    const { result: plain } = await shared();
    const { result } = await withVoices();
    expect(timesOf(result.turns)).toEqual(timesOf(plain.turns));
    expect(timesOf(result.exclusiveTurns)).toEqual(timesOf(plain.exclusiveTurns));
    expect(result.speakers.map(({ label, speechSeconds }) => ({ label, speechSeconds }))).toEqual(plain.speakers.map(({ label, speechSeconds }) => ({ label, speechSeconds: expect.closeTo(speechSeconds, 9) as number })));
    expect(result).toMatchObject({ confidenceKind: 'margin', preset: 'nemotron', speed: 'exact', minDurationOn: 0 });
    expect(result.models.map(({ stage, id }) => [stage, id])).toEqual([['segmentation', 'nemotron-3-diarization'], ['embedding', 'campplus-zh-en'], ['plda', 'plda-campplus-zh-en']]);
    expect(result.embeddingModel).toBe(result.models[1]!.sha256);
    expect(result.speakers.filter(({ centroid }) => centroid!.some((value) => value !== 0)).length).toBeGreaterThan(1);
    const known = result.turns.filter(({ confidence }) => confidence !== null);
    expect(known.length).toBeGreaterThan(0);
    expect(known.every(({ confidence }) => confidence! >= 0 && confidence! <= 1)).toBe(true);
  });

  test.each([[{ speakers: 1 }, 1, 1], [{ minSpeakers: 2, maxSpeakers: 3 }, 2, 3]])('has the requested number: %j', async (bounds, least, most) => {
    const { diarizer, result: plain } = await shared();
    const result = await diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, ...bounds });
    expect(plain.speakers.length).toBeGreaterThan(3);
    expect(result.speakers.length).toBeGreaterThanOrEqual(least);
    expect(result.speakers.length).toBeLessThanOrEqual(most);
    expect(result.speakerCount).toMatchObject({ value: result.speakers.length, unmet: null });
    // No speech appears or disappears.
    const covered = (turns: readonly Turn[], seconds: number): boolean => turns.some(({ startSeconds, endSeconds }) => startSeconds <= seconds && seconds < endSeconds);
    for (let frame = 0; frame < 100 * result.durationSeconds; frame++) expect(covered(result.turns, frame / 100 + 0.005)).toBe(covered(plain.turns, frame / 100 + 0.005));
    expect(result.voices).toBeUndefined();
  });

  test('states a number that the recording cannot have', async () => {
    const { diarizer } = await shared();
    const { speakerCount, speakers } = await diarizer.diarize(samples.slice(0, 2 * SAMPLE_RATE), { sampleRate: SAMPLE_RATE, speakers: 200 });
    expect(speakerCount).toEqual({ value: speakers.length, alternatives: [], unmet: { minSpeakers: 200, maxSpeakers: 200 } });
  });

  test('reports all stages up to the end', async () => {
    const { reports } = await withVoices();
    for (const stage of ['decode', 'segmentation', 'fbank', 'embedding', 'counting', 'clustering', 'reconstruction']) {
      const own = reports.events.filter((event) => event.stage === stage);
      expect(own.at(-1)).toMatchObject({ completed: own.at(-1)!.total });
      expect(own.every((event) => event.completed <= event.total)).toBe(true);
    }
    // 7 s are two windows of 6.8 s.
    expect(reports.events.filter(({ stage }) => stage === 'embedding').map(({ artifact }) => artifact?.shape)).toEqual([[1, 8, 192], [1, 8, 192]]);
  });

  test('can be clustered again: as before, and with another number', async () => {
    const { diarizer } = await shared();
    const { result } = await withVoices();
    const requested = await diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, speakers: 2 });
    // From here on, it has the only clustering worker.
    using reclusterer = await Reclusterer.create(structuredClone(result.voices)!);
    const same = await reclusterer.cluster();
    expect(same.turns).toEqual(result.turns);
    expect(same.exclusiveTurns).toEqual(result.exclusiveTurns);
    const two = await reclusterer.cluster({ speakers: 2 });
    expect(two.turns).toEqual(requested.turns);
    expect(two.exclusiveTurns).toEqual(requested.exclusiveTurns);
  });

  test('without speech has no speakers and no voices', async () => {
    const { diarizer } = await shared();
    const { speakers, turns, voices } = await diarizer.diarize(samples.slice(0, 100), { sampleRate: SAMPLE_RATE, speakers: 2, keepVoices: true });
    expect([speakers, turns]).toEqual([[], []]);
    expect(voices!.embedded).toHaveLength(0);
  });

  test('uses ONNX Runtime if the kernels do not reproduce the golden outputs, and fails if both do not', async () => {
    const service = served.get('embedding') as EmbeddingWorkerApi;
    const load = vi.spyOn(service, 'load').mockResolvedValue({ manifest: { embeddingSize: 192 }, sha256: 'planted', note: null, hasGoldens: true } as never);
    const check = vi.spyOn(service, 'selfCheck').mockResolvedValueOnce(checked(false)).mockResolvedValueOnce(checked(true));
    const start = () => startStreamVoices({ modelsBase: model.base, runtimeBase: runtime, goldensBase: '', hub: null } as CheckedDiarizerOptions, STREAM_SETTINGS);
    expect(await start()).toMatchObject({ embeddingModel: 'planted' });
    expect(load.mock.calls.map(([{ ownKernels }]) => ownKernels)).toEqual([true, false]);
    check.mockResolvedValue(checked(false));
    await expect(start()).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('campplus-zh-en') as string });
    check.mockRejectedValue(new VoxlaneError({ code: 'model-missing', problem: 'planted' }));
    expect(await start()).toMatchObject({ embeddingModel: 'planted' });
    load.mockRestore();
  });

  test('reports the failure of a worker, and starts new ones for the next run', async () => {
    const { diarizer } = await shared();
    const append = vi.spyOn(served.get('clustering') as ClusteringWorkerApi, 'append').mockImplementationOnce(() => { throw new VoxlaneError({ code: 'worker-failed', problem: 'planted' }); });
    const run = () => diarizer.diarize(samples.slice(0, SAMPLE_RATE), { sampleRate: SAMPLE_RATE, speakers: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'worker-failed' });
    expect(diarizer.backend).toBeNull();
    append.mockRestore();
    expect((await run()).speakers).toHaveLength(1);
  });
});

describe('a diarizer with nemotron', () => {
  test.each<[DiarizerOptions, string]>([
    [{ speed: 'fast' }, 'speed'],
    [{ clustering: 'pyannote-3.1' }, 'clustering'],
    [{ batchWindows: 2 }, 'batchWindows'],
  ])('rejects %j', async (options, name) => {
    await expect(open(options)).rejects.toMatchObject({ code: 'options', problem: expect.stringContaining(name) as string });
  });

  test('is listed with its download, and has no single stages', async () => {
    // The other presets need their manifests.
    for (const id of ['wespeaker-resnet34-lm']) cpSync(`models/${id}/manifest.json`, join(folder, id, 'manifest.json'));
    const facts = (await presetInfo()).find(({ id }) => id === 'nemotron');
    expect(facts).toMatchObject({ model: 'nemotron-3-diarization', bytes: model.weights.length, license: 'OpenMDW-1.1', present: false });
    const made = (as: string): StoredModel =>
      ({ id: 'nemotron-3-diarization', file: 'f', bytes: 1, sha256: 'c'.repeat(64), license: null, trusted: false, storedAt: 0, made: { from: model.sha256, as } });
    for (const [as, present] of [['int8.2', false], [formName('int8'), true]] as const) {
      const list = vi.spyOn(ModelStore.prototype, 'list').mockResolvedValue([made(as)]);
      expect((await presetInfo()).find(({ id }) => id === 'nemotron'), as).toMatchObject({ present });
      list.mockRestore();
    }
    await expect(segment(samples, { preset: 'nemotron' as never })).rejects.toMatchObject({ code: 'options', problem: 'The option preset is nemotron' });
  });

  test('rejects WebGPU', async () => {
    await expect(open({ backend: 'webgpu' })).rejects.toMatchObject({ code: 'backend-unavailable' });
  });

  test('opens no session with a part of the weights, or with another file', async () => {
    // The self-check opens sessions too, but only once.
    await shared();
    const sessions = vi.spyOn(session, 'openSession');
    const short = new File([model.weights.subarray(0, model.weights.length - 4)], 'short.safetensors');
    await expect(open({ modelFile: short })).rejects.toMatchObject({ code: 'model-invalid' });
    const renamed = model.weights.slice();
    renamed.set(new TextEncoder().encode('silence_embedz'), Buffer.from(renamed.buffer).indexOf('silence_embeds'));
    await expect(open({ modelFile: new File([renamed], 'renamed.safetensors'), trustUnknownModel: true })).rejects.toMatchObject({
      code: 'model-invalid',
      problem: expect.stringContaining('silence_embeds') as string,
    });
    expect(sessions).not.toHaveBeenCalled();
  });

  test('computes with float32 weights if int8 weights give wrong values, and fails if both do', async () => {
    await shared();
    const known = new Map(remembered);
    const failed = (stored: unknown): unknown => {
      const { checkedAt, check } = stored as { readonly checkedAt: number; readonly check: ModelCheck };
      const stages = check.stages.map((stage, index) => ({ ...stage, passed: index === 0, maxAbs: 5 }));
      return { checkedAt, check: { ...check, passed: false, stages } };
    };
    for (const [key, value] of known) remembered.set(key, failed(value));
    const diarizer = await open();
    const { backend } = await diarizer.diarize(samples.slice(0, SAMPLE_RATE), { sampleRate: SAMPLE_RATE });
    expect(backend.selfCheck!.map(({ passed }) => passed)).toEqual([false, true]);
    expect(backend.reason).toMatch(/stage logits deviates by 5.00, .*float32 weights/);
    diarizer.dispose();
    for (const [key, value] of remembered) remembered.set(key, failed(value));
    await expect(open()).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('stage logits') as string });
    remembered.clear();
    for (const [key, value] of known) remembered.set(key, value);
  });

  test('names the file in an error, although its name is lost on the way to a thread', async () => {
    const service = served.get('sortformer') as SortformerWorkerApi;
    const original = service.load.bind(service);
    const load = vi.spyOn(service, 'load');
    load.mockImplementation((request, onDownload) => original({ ...request, modelFile: new Blob([request.modelFile!]) }, onDownload));
    const short = new File([model.weights.subarray(0, model.weights.length - 4)], 'short.safetensors');
    await expect(open({ modelFile: short })).rejects.toMatchObject({ problem: expect.stringContaining('short.safetensors') as string });
    const other = model.weights.slice();
    other[other.length - 1]! ^= 1;
    const modelFile = new File([other], 'other.safetensors');
    await expect(open({ modelFile })).rejects.toMatchObject({ code: 'model-altered', problem: expect.stringContaining('The file other.safetensors') as string });
    load.mockRestore();
  });
});
