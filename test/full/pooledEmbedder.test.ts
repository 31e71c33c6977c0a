/**
 * The seeded ResNet34 on the WASM runtime, from samples to embeddings, compared with PyTorch. If the public file is
 * present, also the embeddings of the captures.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { greatestDifference } from '../kernels/greatestDifference';
import { compareStages, figuresText, MAX_RELATIVE, MIN_COSINE, readResnetGoldens, RESNET34 } from '../resnetGoldens';
import { seededResnet34 } from '../seededModel';
import { NO_SHARED, readNpz, SHARED } from '../shared';
import { Fbank } from '../../src/features/fbank';
import { tap } from '../../src/onnx/cut';
import { encodeOnnx, parseOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { resnetLayers, splitAtPooling, type PooledNetwork } from '../../src/onnx/pooled';
import type { FloatTensor, Graph } from '../../src/ort/graph';
import { maskedFeatures } from '../../src/embedding/mask';
import { CpuPooling, PooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { frameWeights, poolEmbeddings, statsPool } from '../../src/embedding/statsPool';
import { itUnless } from '../skips';

const EVERYTHING = Uint8Array.of(1);

/** A part of a network with one input, and all its outputs. */
async function openPart(
  model: ModelProto,
  input: string,
): Promise<(features: FloatTensor) => Promise<ort.InferenceSession.ReturnType>> {
  const session = await ort.InferenceSession.create(encodeOnnx(model));
  return ({ data, shape }) => session.run({ [input]: new ort.Tensor(data, shape) });
}

async function openEmbedder(network: PooledNetwork): Promise<{ embedder: PooledEmbedder; calls: () => number }> {
  const { backbone, input, map, head } = network;
  const run = await openPart(backbone, input);
  let calls = 0;
  const graph: Graph = {
    run: async (features) => {
      calls++;
      const { [map]: output } = await run(features as FloatTensor);
      return { data: output!.data as Float32Array, shape: output!.dims };
    },
    release: () => Promise.resolve(),
  };
  return { embedder: new PooledEmbedder(new CpuPooling(graph, head, RESNET34), RESNET34), calls: () => calls };
}

describe('the seeded network', () => {
  const network = splitAtPooling(parseOnnx(seededResnet34('pyannote'), 'pyannote'));
  const { backbone, input, map, head } = network;
  let opened: Awaited<ReturnType<typeof openEmbedder>>;
  beforeAll(async () => {
    opened = await openEmbedder(network);
  });

  const lengths = ['one_second', 'ten_seconds'] as const;
  it.each(lengths)('matches PyTorch in every stage of %s', { timeout: 120_000 }, async (name) => {
    const goldens = readResnetGoldens(name);
    const raw = new Fbank(RESNET34.fbank, RESNET34.sampleRate).compute(goldens.window);
    const features = maskedFeatures(raw, EVERYTHING, RESNET34.fbank.subtractMean);
    const layers = resnetLayers(network);
    const run = await openPart(tap(backbone, [...layers.values()], { only: true }), input);
    const values = await run({ data: features, shape: [1, raw.numFrames, raw.numMelBins] });
    const data = values[map]!.data as Float32Array;
    const frames = { data, numFrames: data.length / head.numChannels };
    const all = [frameWeights(EVERYTHING, frames.numFrames)];
    const stages = new Map([
      ['fbank', features],
      ...Array.from(layers, ([layer, value]) => [layer, values[value]!.data as Float32Array] as const),
      ['pooling', Float32Array.from(statsPool(frames, all))],
      ['embedding', poolEmbeddings(frames, all, head)],
    ]);
    expect([...stages.keys()]).toEqual(RESNET34.stages.map(({ name: stage }) => stage));
    for (const figures of compareStages(stages, goldens)) {
      console.log(`${name}, WASM, ${figuresText(figures)}`);
      expect(figures.cosine, figures.stage).toBeGreaterThanOrEqual(MIN_COSINE);
      expect(figures.relative, figures.stage).toBeLessThanOrEqual(MAX_RELATIVE);
    }
    const { numSpeakers, activity } = goldens;
    const masks = Array.from({ length: numSpeakers }, (_, speaker) =>
      activity.filter((_value, i) => i % numSpeakers === speaker),
    );
    const pooled = poolEmbeddings(frames, masks.map((mask) => frameWeights(mask, frames.numFrames)), head);
    // Components are of order 1.
    expect(greatestDifference(pooled, goldens.embeddings)).toBeLessThanOrEqual(MAX_RELATIVE);
  });

  it("runs once per window, and returns the embedding of pyannote's own run for every speaker", { timeout: 120_000 }, async () => {
    const { window, activity, numSpeakers, embeddings: expected } = readResnetGoldens('one_second');
    const { embedder, calls } = opened;
    const [runsBefore, callsBefore] = [embedder.backboneRuns, calls()];
    // The second window has no speaker, the third only the second speaker.
    const nobody = new Uint8Array(activity.length);
    const second = activity.map((value, i) => (i % numSpeakers === 1 ? value : 0));
    const { embeddings } = await embedder.embed({
      windows: Float32Array.from([...window, ...window, ...window]),
      activity: Uint8Array.from([...activity, ...nobody, ...second]),
      numWindows: 3,
      numSpeakers,
    });
    expect(embedder.backboneRuns - runsBefore).toBe(2);
    expect(calls() - callsBefore).toBe(2);
    const size = RESNET34.embeddingSize;
    const rows = Array.from({ length: 3 * numSpeakers }, (_, row) => embeddings.subarray(row * size, (row + 1) * size));
    rows.slice(0, 3).forEach((row, speaker) => {
      const difference = greatestDifference(row, expected.subarray(speaker * size, (speaker + 1) * size));
      expect(difference, `speaker ${speaker}`).toBeLessThanOrEqual(MAX_RELATIVE);
    });
    for (const silent of [3, 4, 5, 6, 8]) expect(rows[silent]!.every(Number.isNaN), `row ${silent}`).toBe(true);
    // The map does not depend on the speakers.
    expect(rows[7]).toEqual(rows[1]);
  });

  it('excludes overlapped speech, unless too little remains', async () => {
    const { window, activity, numSpeakers } = readResnetGoldens('one_second');
    const { embedder } = opened;
    const embedFirst = async (change: (value: number, frame: number, speaker: number) => number): Promise<Float32Array> => {
      const changed = activity.map((value, i) => change(value, Math.floor(i / numSpeakers), i % numSpeakers));
      const { embeddings } = await embedder.embed({ windows: window, activity: changed, numWindows: 1, numSpeakers });
      return embeddings.slice(0, RESNET34.embeddingSize);
    };
    const alone = await embedFirst((value) => value);
    const end = activity.filter((_, i) => i % numSpeakers === 0).lastIndexOf(1);
    // The second speaker overlaps the end of the first, as if the first had stopped earlier.
    const overlapped = await embedFirst((value, frame, speaker) =>
      speaker === 1 && frame > end / 2 && frame <= end ? 1 : value,
    );
    const shorter = await embedFirst((value, frame, speaker) => (speaker === 0 && frame > end / 2 ? 0 : value));
    expect(overlapped).toEqual(shorter);
    expect(greatestDifference(overlapped, alone)).toBeGreaterThan(0.01);
    // The second speaker is active throughout: nothing would be left.
    expect(await embedFirst((value, _, speaker) => (speaker === 1 ? 1 : value))).toEqual(alone);
  });

  it('returns the features of a segment, and its embedding as one speaker', async () => {
    const { bundle, window } = readResnetGoldens('one_second');
    const { embedder } = opened;
    const heard: number[] = [];
    const embedding = await embedder.embedSegment(window, (features) => heard.push(features.length));
    expect(heard).toEqual([98 * RESNET34.fbank.numMelBins]);
    const [figures] = compareStages(new Map([['embedding', embedding]]), readResnetGoldens('one_second'));
    expect(figures!.relative).toBeLessThanOrEqual(MAX_RELATIVE);
    expect(bundle.model).toBe(RESNET34.id);
  });

  it('subtracts the mean vector of the published form', async () => {
    const published = splitAtPooling(parseOnnx(seededResnet34('wespeaker'), 'wespeaker'));
    const { window } = readResnetGoldens('one_second');
    const [withVector, without] = await Promise.all(
      [await openEmbedder(published), opened].map(({ embedder }) => embedder.embedSegment(window, () => undefined)),
    );
    const sum = withVector!.map((value, i) => value + published.head.meanVector![i]!);
    // The same weights with the same rounding: only the subtraction is undone.
    expect(greatestDifference(sum, without!)).toBeLessThan(1e-5);
    expect(greatestDifference(withVector!, without!)).toBeGreaterThan(0.1);
  });
});

const MODELS = process.env.VOXLANE_MODELS ?? '';
const paths = (RESNET34.sources ?? []).map(({ name }) => join(MODELS, name));
const publicFile = MODELS === '' ? undefined : paths.find((path) => existsSync(path));
const missing = publicFile ? NO_SHARED : `VOXLANE_MODELS names no folder with a file of ${RESNET34.id}`;

/** Windows of each capture. The network needs one second per window. */
const NUM_WINDOWS = 5;
/** Length of a window; pyannote's hop is a tenth of it. */
const WINDOW_SECONDS = 10;

itUnless(missing).each(['02_pyannote_sample', '03_dual_speaker'])(
  'the public file matches the embeddings of %s',
  { timeout: 300_000 },
  async (capture) => {
    const folder = join(SHARED, 'captures', capture);
    const { segmentations } = readNpz(join(folder, 'segmentations.npz'));
    const expected = readNpz(join(folder, 'raw_embeddings.npz')).embeddings!.data;
    const [, numFrames = 0, numSpeakers = 0] = segmentations!.shape;
    const file = readFileSync(join(folder, 'clip_16k.wav'));
    const start = file.indexOf('data') + 8;
    const network = splitAtPooling(parseOnnx(readFileSync(publicFile!), publicFile!));
    const { embedder } = await openEmbedder(network);
    const size = RESNET34.embeddingSize;
    for (let window = 0; window < NUM_WINDOWS; window++) {
      const first = (window * WINDOW_SECONDS * RESNET34.sampleRate) / 10;
      const length = WINDOW_SECONDS * RESNET34.sampleRate;
      const windows = Float32Array.from({ length }, (_, i) => file.readInt16LE(start + 2 * (first + i)) / 32768);
      const cells = numFrames * numSpeakers;
      const activity = Uint8Array.from({ length: cells }, (_, i) => segmentations!.data[window * cells + i]!);
      const { embeddings } = await embedder.embed({ windows, activity, numWindows: 1, numSpeakers });
      for (let speaker = 0; speaker < numSpeakers; speaker++) {
        // For speakers without speech, pyannote returns the bias of the last layer.
        if (Number.isNaN(embeddings[speaker * size])) continue;
        for (let i = 0; i < size; i++) {
          const own = embeddings[speaker * size + i]! + (network.head.meanVector?.[i] ?? 0);
          const difference = Math.abs(own - expected[(window * numSpeakers + speaker) * size + i]!);
          // Captured components have a deviation of 0.15; other masks or features change them by at least 0.01.
          expect(difference, `window ${window}, speaker ${speaker}, ${i}`).toBeLessThan(1e-3);
        }
      }
    }
  },
);
