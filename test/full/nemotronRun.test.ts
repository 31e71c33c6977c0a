/** The preset nemotron in Node, with threads, downloads and stored files. The weights are seeded. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadNodeEngine } from '../../cli/nodeEngine';
import { testConversation } from '../../src/embedding/testSpeech';
import type * as Library from '../../src/index';
import { ActivityBuilder } from '../../src/sortformer/activity';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import { stream } from '../../src/sortformer/speakerStream';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { NO_MIN_DURATIONS } from '../../src/timeline/minDurations';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import type { EvaluationJson } from '../../cli/evaluate/report';
import { runCommand } from '../browser/command';
import { LiveStream } from '../nemotron/liveStream';
import { writeSeededFolder, type SeededFolder } from '../nemotron/modelFolder';
import { convertedBytes } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { NEMOTRON, nemotronGraph, seededNemotronFile } from '../seededNemotron';
import { audio, PIPELINE_CASES, referenceDecisions } from '../sortformerPipelineGoldens';
import { openSeeded } from '../sortformerNetworkTests';

const NUM_LAYERS = 4;
const NUM_SPEAKERS = 8;
const SAMPLE_RATE = 16_000;
const HALF_FRAME_SECONDS = 0.005;
const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const samples = testConversation(SAMPLE_RATE, 95 * SAMPLE_RATE + 77, 3);

/** Serves the model folder, and lists what was requested. */
const requested: string[] = [];
const server = createServer((request, response) => {
  requested.push(request.url!);
  response.end(readFileSync(join(folder, 'models', request.url!)));
});
let library: typeof Library;
let model: SeededFolder;

beforeAll(async () => {
  process.env.VOXLANE_CACHE = join(folder, 'cache');
  mkdirSync(join(folder, 'models'));
  model = writeSeededFolder(join(folder, 'models'), NUM_LAYERS, true);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  library = await loadNodeEngine();
}, 120_000);

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
  delete process.env.VOXLANE_CACHE;
});

const open = (options: Library.DiarizerOptions = {}): Promise<Library.Diarizer> =>
  library.Diarizer.create({ preset: 'nemotron', models: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, hub: null, ...options });

/** Start, end and number of the speaker of each turn of the stream in this thread. Numbers are in the order of the first turns. */
async function expectedTurns(recording: Float32Array, numLayers: number): Promise<[number, number, string][]> {
  const settings = parseStreamingSettings(nemotron.streaming, 'manifest.json');
  const network = await openSeeded(numLayers, { form: 'int8' });
  const activity = new ActivityBuilder(settings.segments.threshold, settings.numSpeakers, { hopSamples: 160, sampleRate: SAMPLE_RATE }, NO_MIN_DURATIONS);
  for await (const decided of stream('samples', [recording], { network, settings, mode: 'offline', frontEnd: cpuFrontEnd(NEMOTRON) })) activity.push(decided);
  await network.release();
  const { turns } = activity.result();
  const order = [...new Set(turns.map(({ speakerIndex }) => speakerIndex))];
  return turns.map(({ startSeconds, endSeconds, speakerIndex }) => [startSeconds, endSeconds, `SPEAKER_0${order.indexOf(speakerIndex)}`]);
}

const plain = (turns: readonly Library.Turn[]): [number, number, string][] => turns.map(({ startSeconds, endSeconds, speaker }) => [startSeconds, endSeconds, speaker]);

/** Names of the stored pieces without their numbers. */
const storedKeys = (cache: string): string[] =>
  [...new Set(readdirSync(join(cache, 'models', 'pieces'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath }) => basename(parentPath)))];

describe('the library', () => {
  test('that is canceled during the conversion keeps the download and nothing else, and needs no second download', async () => {
    const { VOXLANE_CACHE } = process.env;
    const cache = join(folder, 'canceled');
    process.env.VOXLANE_CACHE = cache;
    try {
      const controller = new AbortController();
      const seen: string[] = [];
      const onDownload = ({ step, receivedBytes, totalBytes }: Library.ModelDownload): void => {
        seen.push(step);
        // The second half writes.
        if (step === 'convert' && receivedBytes > 0.75 * totalBytes) controller.abort('enough');
      };
      const opening = library.Diarizer.create({ preset: 'nemotron', models: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, hub: null, onDownload, signal: controller.signal });
      await expect(opening).rejects.toMatchObject({ code: 'cancelled', cause: 'enough' });
      expect(new Set(seen)).toEqual(new Set(['download', 'convert']));
      await vi.waitFor(() => { expect(storedKeys(cache)).toEqual([model.sha256]); }, { timeout: 20_000 });
      expect(await library.storedModels()).toMatchObject([{ id: NEMOTRON.id, bytes: model.weights.length }]);
      (await open()).dispose();
      expect(requested.filter((path) => path.endsWith('.safetensors'))).toHaveLength(1);
      expect(await library.storedModels()).toHaveLength(2);
    } finally {
      process.env.VOXLANE_CACHE = VOXLANE_CACHE;
      requested.length = 0;
    }
  }, 300_000);

  test('downloads once, and has the turns of the stream, for any pieces', async () => {
    const downloads: Library.ModelDownload[] = [];
    const diarizer = await open({ onDownload: (progress) => { downloads.push(progress); } });
    const ofStep = (wanted: Library.ModelDownload['step']): Library.ModelDownload[] => downloads.filter(({ step }) => step === wanted);
    expect(downloads).toEqual([...ofStep('download'), ...ofStep('convert')]);
    expect(ofStep('download').at(-1)).toEqual({ model: NEMOTRON.id, step: 'download', receivedBytes: model.weights.length, totalBytes: model.weights.length });
    const { receivedBytes, totalBytes } = ofStep('convert').at(-1)!;
    expect(receivedBytes).toBe(totalBytes);
    const previews: Library.Preview[] = [];
    const result = await diarizer.diarize(samples, { sampleRate: SAMPLE_RATE, onPreview: (preview) => { previews.push(preview); } });
    expect(result.backend).toMatchObject({ name: 'wasm', reason: expect.stringContaining('int8 weights') as string, selfCheck: [{ backend: 'wasm', passed: true }] });
    const expected = await expectedTurns(samples, NUM_LAYERS);
    expect(expected.length).toBeGreaterThan(100);
    expect(plain(result.turns)).toEqual(expected);
    expect(result.modelNote).toBeNull();
    expect(result.models[0]!.sha256).toBe(model.sha256);

    async function* pieces(): AsyncGenerator<Float32Array> {
      for (let at = 0, size = 1; at < samples.length; at += size, size = ((size * 7919) % 30_011) + 1) yield await Promise.resolve(samples.slice(at, at + size));
    }
    const streamed = await diarizer.diarize(pieces(), { sampleRate: SAMPLE_RATE });
    expect(streamed.turns).toEqual(result.turns);
    expect(streamed.exclusiveTurns).toEqual(result.exclusiveTurns);

    expect(previews.length).toBeGreaterThan(0);
    for (const { analyzedSeconds, turns } of previews) {
      // A turn that is open at the end of the analyzed part ends there.
      const before = ([, end]: readonly [number, number, string]): boolean => end < analyzedSeconds - HALF_FRAME_SECONDS;
      expect(plain(turns).filter(before).map(([start, end]) => [start, end])).toEqual(expected.filter(before).map(([start, end]) => [start, end]));
    }
    diarizer.dispose();

    const again = await open();
    expect(plain((await again.diarize(samples.slice(0, SAMPLE_RATE), { sampleRate: SAMPLE_RATE })).turns)).toEqual(await expectedTurns(samples.slice(0, SAMPLE_RATE), NUM_LAYERS));
    again.dispose();
    expect(requested.filter((path) => path.endsWith('.safetensors'))).toHaveLength(1);
    const stored = (await library.storedModels()).toSorted((a, b) => b.bytes - a.bytes);
    expect(stored).toMatchObject([
      { id: NEMOTRON.id, bytes: model.weights.length, license: 'OpenMDW-1.1' },
      { id: NEMOTRON.id, bytes: convertedBytes(expectedWeights(nemotronGraph(NUM_LAYERS)), 'int8'), license: 'OpenMDW-1.1' },
    ]);
  }, 600_000);

  test('has the decisions of the reference', async () => {
    const one = PIPELINE_CASES.find(({ mode, numLayers, numSamples }) => mode === 'offline' && numLayers === NUM_LAYERS && numSamples < 600_000)!;
    const diarizer = await open();
    const columns: Float32Array[] = [];
    const { turns } = await diarizer.diarize(audio(one.numSamples), {
      sampleRate: SAMPLE_RATE,
      hook: ({ stage, artifact }) => { if (stage === 'segmentation' && artifact) columns.push(artifact.data as Float32Array); },
    });
    diarizer.dispose();
    const isActive = referenceDecisions(one);
    const probabilities = columns.flatMap((data) => [...data]);
    expect(probabilities).toHaveLength(one.numFrames * NUM_SPEAKERS);
    const equal = probabilities.filter((probability, index) => probability > 0.5 === isActive(index)).length;
    const different = 1 - equal / probabilities.length;
    console.log(`int8, ${NUM_LAYERS} layers: ${(10_000 * different).toFixed(1)} of 10,000 decisions differ`);
    // The bound for a port with float32 weights.
    expect(different).toBeLessThanOrEqual(1e-4);
    // The frames in turns are those with an active speaker, as often as there are active speakers.
    const active = probabilities.filter((probability) => probability > 0.5).length;
    const inTurns = turns.reduce((sum, { startSeconds, endSeconds }) => sum + Math.round(100 * endSeconds) - Math.round(100 * startSeconds), 0);
    expect(inTurns).toBe(active);
  }, 120_000);

  test('decides the frames of a live stream with the last sample that their step needs', async () => {
    const diarizer = await open();
    const live = new LiveStream(samples, 'ultra_low_latency', 5);
    await diarizer.diarize(live.pieces(), { sampleRate: SAMPLE_RATE, streamingMode: 'ultra_low_latency', hook: live.hook });
    diarizer.dispose();
    expect(live.counts).toEqual(live.expected);
  }, 120_000);

  test('ends at a cancellation in any stage, and runs again', async () => {
    const diarizer = await open();
    for (const stage of ['decode', 'segmentation']) {
      const controller = new AbortController();
      const canceled = diarizer.diarize(samples, {
        sampleRate: SAMPLE_RATE,
        signal: controller.signal,
        hook: (event) => { if (event.stage === stage) controller.abort('enough'); },
      });
      await expect(canceled).rejects.toMatchObject({ code: 'cancelled', cause: 'enough' });
      expect(diarizer.backend).toBeNull();
    }
    const { durationSeconds } = await diarizer.diarize(samples.slice(0, SAMPLE_RATE), { sampleRate: SAMPLE_RATE });
    expect(durationSeconds).toBe(1);
    diarizer.dispose();
  }, 120_000);

  test('accepts recordings shorter than a frame, and explains empty ones', async () => {
    const diarizer = await open();
    await expect(diarizer.diarize(new Float32Array(0), { sampleRate: SAMPLE_RATE })).rejects.toMatchObject({ code: 'audio-no-samples' });
    for (const numSamples of [1, 399, 1279, 4800]) {
      const { turns, durationSeconds } = await diarizer.diarize(samples.slice(0, numSamples), { sampleRate: SAMPLE_RATE });
      expect(durationSeconds).toBe(numSamples / SAMPLE_RATE);
      for (const { startSeconds, endSeconds } of turns) expect(startSeconds).toBeLessThan(endSeconds);
      expect(plain(turns)).toEqual(await expectedTurns(samples.slice(0, numSamples), NUM_LAYERS));
    }
    diarizer.dispose();
  }, 300_000);

  test('runs to its end if its model is deleted in the meantime, and downloads it only for a new diarizer', async () => {
    const diarizer = await open();
    requested.length = 0;
    const running = diarizer.diarize(samples.slice(0, 40 * SAMPLE_RATE), { sampleRate: SAMPLE_RATE });
    await library.deleteStoredModel(NEMOTRON.id);
    expect((await running).durationSeconds).toBe(40);
    // The model is in memory.
    expect((await diarizer.diarize(samples.slice(0, SAMPLE_RATE), { sampleRate: SAMPLE_RATE })).durationSeconds).toBe(1);
    expect(await library.storedModels()).toEqual([]);
    expect(requested).toEqual([]);
    diarizer.dispose();
    (await open()).dispose();
    expect(requested.filter((path) => path.endsWith('.safetensors'))).toHaveLength(1);
  }, 300_000);

  test('runs a file of unknown hash only if it is trusted', async () => {
    const other = model.weights.slice();
    other[other.length - 1]! ^= 1;
    const modelFile = new File([other], 'other.safetensors');
    await expect(open({ modelFile })).rejects.toMatchObject({ code: 'model-altered', problem: expect.stringContaining('The file other.safetensors is not a known file') as string });
    const converted: number[] = [];
    const diarizer = await open({
      modelFile,
      trustUnknownModel: true,
      onDownload: ({ step, receivedBytes }) => { if (step === 'convert') converted.push(receivedBytes); },
    });
    // A second conversion would begin at the first tensor again.
    expect(converted.length).toBeGreaterThan(10);
    expect(converted).toEqual(converted.toSorted((a, b) => a - b));
    expect((await library.storedModels()).map(({ file }) => file)).toContain('other.int8.safetensors');
    const { modelNote } = await diarizer.diarize(samples.slice(0, SAMPLE_RATE), { sampleRate: SAMPLE_RATE });
    expect(modelNote).toContain('The file other.safetensors is not a known file');
    diarizer.dispose();
  }, 120_000);

  test('is never chosen by auto, although its model is stored', async () => {
    const diarizer = await library.Diarizer.create({ backend: 'wasm', threads: 1 });
    expect(diarizer.preset).toBe('campplus');
    diarizer.dispose();
  }, 120_000);
});

/** Length of the recording for the command: the full-size model takes about a minute to open. */
const SECONDS = 10;

describe('the command', () => {
  test('has the turns of the stream with all layers', async () => {
    const path = join(folder, 'seeded.safetensors');
    writeFileSync(path, seededNemotronFile());
    const args = ['public/sample.wav', '--preset', 'nemotron', '--model', path, '--trust-model', '--duration', String(SECONDS), '--format', 'json'];
    const { code, stdout, stderr } = await runCommand('diarize', ...args);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('segmentation 100 %');
    const { turns, preset } = JSON.parse(stdout) as { readonly turns: readonly Library.Turn[]; readonly preset: string };
    expect(preset).toBe('nemotron');
    const file = readFileSync('public/sample.wav');
    const start = file.indexOf('data') + 8;
    const recording = Float32Array.from({ length: SECONDS * SAMPLE_RATE }, (_, i) => file.readInt16LE(start + 2 * i) / 32_768);
    expect(turns.length).toBeGreaterThan(20);
    expect(plain(turns)).toEqual(await expectedTurns(recording, NEMOTRON.numLayers));

    const recordings = join(folder, 'recordings');
    mkdirSync(recordings);
    for (const name of ['sample.wav', 'sample.rttm']) copyFileSync(join('public', name), join(recordings, name));
    const evaluated = await runCommand('evaluate', recordings, '--preset', 'nemotron', '--model', path, '--trust-model', '--no-cache', '--json');
    expect(evaluated.code, evaluated.stderr).toBe(0);
    const figures = JSON.parse(evaluated.stdout) as EvaluationJson;
    expect(figures.recordings).toMatchObject([{ name: 'sample', durationSeconds: 30, floorDer: null, speakersThere: 2 }]);
    // Random weights: an error rate, but a bad one.
    expect(figures.total.der).toBeGreaterThan(0.5);
  }, 600_000);
});
