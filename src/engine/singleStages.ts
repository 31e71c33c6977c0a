import { moved } from '../../workers/protocol';
import { spawnClusteringWorker } from '../../workers/spawn';
import { contiguous } from '../audio/blocks';
import { countWindows, cutWindows, takeBatch, type WindowBatch } from '../audio/windows';
import { INACTIVE, type SpeakerBounds } from '../clustering/localSpeakers';
import { minCleanFrames } from '../embedding/mask';
import { countFrames, Fbank, fbankGeometry } from '../features/fbank';
import { timeGeometry } from '../segmentation/geometry';
import { loadManifest } from '../store/load';
import type { Assembly, AssemblyOptions } from '../timeline/assembler';
import { speakerLabels } from '../timeline/turns';
import { cancelled, throwIfAborted, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { minDurationsOf, nameSpeakers } from './assembly';
import { halvedToFit } from './backend';
import type { Engine } from './engine';
import { checkBounds, checkClustering, checkMinDurations, checkNames, modelsBase } from './options';
import { type ClusteringName, type PipelineSettings, PRESETS, settingsOf } from './settings';
import {
  checkPairOfStages,
  checkSamples,
  checkSegmentation,
  checkStageOptions,
  type ClusterOptions,
  type FbankFeatures,
  type FbankStageOptions,
  nameOf,
  resolveStageOptions,
  type Segmentation,
  type StageOptions,
  type VoiceClusters,
  type VoiceEmbeddings,
  withEngine,
  wrongInput,
} from './singleStagesEngine';
import { speakerCountOf } from './speakerCount';

/** Consecutive windows, as a model takes them at a time. */
export interface StageBatch {
  /** Axes (window, sample), float32. */
  readonly windows: Float32Array;
  readonly numWindows: number;
  /** Index of the first of them in the recording. */
  readonly from: number;
}

/**
 * Cuts samples into windows as the pipeline does, and hands them on in batches, which are as small as the GPU's memory
 * wants them. Only windows that are at work are in memory.
 *
 * @param samples axes (sample), at the model's rate
 * @param lanes batches at work at a time
 * @param work may be called again for a part of a batch that was too large
 * @throws VoxlaneError `audio-not-finite`, and what `work` throws
 */
export async function eachBatch(
  engine: Engine,
  samples: Float32Array,
  lanes: number,
  work: (batch: StageBatch) => Promise<void>,
): Promise<void> {
  const { windowSamples } = engine.segmentationManifest;
  const batches = batchesOf(engine, samples);
  const lane = async (): Promise<void> => {
    try {
      for (let step = await batches.next(); !step.done; step = await batches.next()) {
        const { windows, numWindows, from } = step.value;
        await halvedToFit(numWindows, engine.batchWindows, isMemoryError, (first, end) =>
          work({
            // A copy where it is a part: a view would carry the whole batch across.
            windows: end - first === numWindows ? windows : windows.slice(first * windowSamples, end * windowSamples),
            numWindows: end - first,
            from: from + first,
          }),
        );
      }
    } catch (error) {
      // The other lanes end with what they are at.
      await batches.return();
      throw error;
    }
  };
  const running = Array.from({ length: lanes }, lane);
  await Promise.allSettled(running);
  await Promise.all(running);
}

async function* batchesOf(engine: Engine, samples: Float32Array): AsyncGenerator<WindowBatch & { readonly from: number }, void, undefined> {
  const { sampleRate, windowSamples, hopSamples } = engine.segmentationManifest;
  const pieces = contiguous([{ startFrame: 0, samples }], sampleRate, 0, samples.length);
  const windows = cutWindows(pieces, { windowSamples, hopSamples });
  let from = 0;
  for (;;) {
    const batch = await takeBatch(windows, engine.batchWindows.current);
    if (!batch) return;
    yield { ...batch, from };
    from += batch.numWindows;
  }
}

/** Some of the windows, side by side. */
export function pickWindows<Values extends Float32Array | Uint8Array>(values: Values, windows: readonly number[], size: number): Values {
  const picked = new (values.constructor as new (length: number) => Values)(windows.length * size);
  windows.forEach((window, index) => { picked.set(values.subarray(window * size, (window + 1) * size), index * size); });
  return picked;
}

function isMemoryError(error: unknown): boolean {
  return error instanceof VoxlaneError && error.code === 'gpu-memory';
}

/** Frames between two looks at what else the thread has to do: ten seconds of sound, some 20 ms of work. */
const FRAMES_AT_ONCE = 1000;

/**
 * Mel filterbank features of a recording, with the options that the preset's embedding model was trained with: the
 * plain float64 computation of the WASM backend, on the calling thread, which takes a breath after each 20 ms or so.
 *
 * The mean over frames is not subtracted: the embedding model wants it taken over one speaker's frames only. Only whole
 * frames are used, and samples left over at the end are not. Matches `torchaudio.compliance.kaldi.fbank`.
 *
 * @param samples mono, axes (sample), nominally in [-1, 1], at the model's rate, 16 kHz; kept unchanged
 * @throws VoxlaneError `options`, `audio-no-samples`, `model-missing`, `model-invalid`, `cancelled`
 */
export async function fbank(samples: Float32Array, options: FbankStageOptions = {}): Promise<FbankFeatures> {
  checkSamples(samples);
  const { options: checked, settings } = await resolveStageOptions(checkStageOptions(options));
  const manifest = await loadManifest('embedding', settings.embedding, checked.modelsBase);
  const { sampleRate, fbank: facts } = manifest;
  const geometry = fbankGeometry(facts, sampleRate);
  const { frameSamples, hopSamples } = geometry;
  const numFrames = countFrames(samples.length, geometry);
  const data = new Float32Array(numFrames * facts.numMelBins);
  const bank = new Fbank(facts, sampleRate);
  for (let frame = 0; frame < numFrames; frame += FRAMES_AT_ONCE) {
    throwIfAborted(options.signal);
    const last = Math.min(numFrames, frame + FRAMES_AT_ONCE) - 1;
    const part = samples.subarray(frame * hopSamples, last * hopSamples + frameSamples);
    data.set(bank.compute(part).data, frame * facts.numMelBins);
    await breath();
  }
  return {
    axes: ['frame', 'mel'],
    shape: [numFrames, facts.numMelBins],
    data,
    model: manifest.id,
    sampleRate,
    frameSamples,
    hopSamples,
  };
}

/** Lets the thread do what else there is to do. A timer would wait for a second where the page is in the background. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * Who talks when in each window of a recording, as the segmentation model hears it: the first stage of
 * {@link Diarizer.diarize} by itself, byte for byte.
 *
 * Runs in workers that {@link embed} shares, with both models of the preset loaded, and that end after `idleSeconds` or
 * by {@link releaseStages}.
 *
 * @param samples mono, axes (sample), nominally in [-1, 1], at the model's rate, 16 kHz; kept unchanged
 * @throws VoxlaneError `options`, `audio-no-samples`, `audio-not-finite`, `model-*`, `backend-*`, `gpu-*`,
 *   `worker-failed`, `cancelled`, `disposed` where the stages are released meanwhile
 */
export async function segment(samples: Float32Array, options: StageOptions = {}): Promise<Segmentation> {
  checkSamples(samples);
  return withEngine(options, async (engine) => {
    const { segmentationManifest: manifest, segmentationModel: sha256 } = engine;
    const { id, sampleRate, windowSamples, hopSamples, numFrames, powerset } = manifest;
    const numWindows = countWindows(samples.length, manifest);
    const cells = numFrames * powerset.numSpeakers;
    const data = new Uint8Array(numWindows * cells);
    engine.segmentation.newRun();
    await eachBatch(engine, samples, engine.segmentation.size + 1, async ({ windows, from }) => {
      const { activity } = await engine.segmentation.call((api) => api.segment(windows));
      data.set(activity, from * cells);
    });
    return {
      axes: ['window', 'frame', 'speaker'],
      shape: [numWindows, numFrames, powerset.numSpeakers],
      data,
      model: { id, sha256 },
      backend: engine.backend,
      numSamples: samples.length,
      sampleRate,
      windowSamples,
      hopSamples,
      geometry: timeGeometry(manifest),
    };
  });
}

/**
 * The voice of each local speaker of each window: features and embedding model of {@link Diarizer.diarize} by themselves,
 * with the speed `exact`. A speaker's voice is taken from the frames in which nobody else talks, unless these are too few.
 *
 * Runs in the workers of {@link segment}.
 *
 * @param samples those that `segmentation` is of
 * @throws VoxlaneError `options`, also where the segmentation is of other samples or of another model; and what
 *   {@link segment} throws
 */
export async function embed(samples: Float32Array, segmentation: Segmentation, options: StageOptions = {}): Promise<VoiceEmbeddings> {
  checkSamples(samples);
  checkSegmentation(segmentation);
  return withEngine(options, async (engine) => {
    checkFit(samples, segmentation, engine);
    const { embeddingManifest, embeddingModel, segmentationManifest, settings } = engine;
    const { id, embeddingSize, minSamples } = embeddingManifest;
    const [numWindows, numFrames, numSpeakers] = segmentation.shape;
    const data = new Float32Array(numWindows * numSpeakers * embeddingSize).fill(NaN);
    engine.embedding.newRun();
    await eachBatch(engine, samples, engine.embedding.size + 1, (batch) => embedBatch(engine, segmentation, batch, data));
    return {
      axes: ['window', 'speaker', 'dimension'],
      shape: [numWindows, numSpeakers, embeddingSize],
      data,
      preset: settings.preset,
      model: { id, sha256: embeddingModel },
      backend: engine.backend,
      segmentationModel: segmentation.model,
      minCleanFrames: minCleanFrames(numFrames, segmentationManifest.windowSamples, minSamples),
    };
  });
}

/** @param data is filled in */
async function embedBatch(engine: Engine, segmentation: Segmentation, batch: StageBatch, data: Float32Array): Promise<void> {
  const [, numFrames, numSpeakers] = segmentation.shape;
  const { windows, numWindows, from } = batch;
  const cells = numFrames * numSpeakers;
  const rowCells = numSpeakers * engine.embeddingManifest.embeddingSize;
  const activity = segmentation.data.subarray(from * cells, (from + numWindows) * cells);
  // A silent window has no voice to embed.
  const wanted = [...Array(numWindows).keys()].filter((window) =>
    activity.subarray(window * cells, (window + 1) * cells).includes(1),
  );
  // On WASM each by itself, for as many workers as there are; on a GPU together, because a call costs more there.
  const groups = engine.backend.name === 'wasm' ? wanted.map((window) => [window]) : wanted.length > 0 ? [wanted] : [];
  const work = groups.map(async (group) => {
    const samples = pickWindows(windows, group, segmentation.windowSamples);
    const voices = pickWindows(activity, group, cells);
    const { embeddings } = await engine.embedding.call((api) =>
      api.embed(samples, voices, { numWindows: group.length, numSpeakers }),
    );
    group.forEach((window, index) => {
      data.set(embeddings.subarray(index * rowCells, (index + 1) * rowCells), (from + window) * rowCells);
    });
  });
  // None is left running when another fails.
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** @throws VoxlaneError `options` where the segmentation is of other samples, or of another model than the engine's */
function checkFit(samples: Float32Array, segmentation: Segmentation, engine: Engine): void {
  const { segmentationManifest: manifest, segmentationModel: sha256 } = engine;
  if (segmentation.model.sha256 !== sha256) {
    throw wrongInput(
      `The segmentation is by ${nameOf(segmentation.model)}, and the preset has ${nameOf({ id: manifest.id, sha256 })}`,
      'a segmentation by the model of the preset',
      'Give segment() and embed() the same options',
    );
  }
  const expected = [countWindows(samples.length, manifest), manifest.numFrames, manifest.powerset.numSpeakers];
  if (segmentation.numSamples === samples.length && segmentation.shape.join() === expected.join()) return;
  throw wrongInput(
    `The segmentation is of ${segmentation.numSamples} samples and has the shape (${segmentation.shape.join(', ')}); there are ${samples.length} samples`,
    `a segmentation of these samples, of shape (${expected.join(', ')})`,
    'Call segment() with the same samples',
  );
}

const NAMES = Object.keys({
  clustering: true,
  maxSpeakers: true,
  minDurationOn: true,
  minDurationOff: true,
  minSpeakers: true,
  models: true,
  signal: true,
  speakers: true,
} satisfies Record<keyof ClusterOptions, true>);

/** Windows that are sent to the worker at a time: 4 MB, which the calling thread copies in a few milliseconds. */
const WINDOWS_AT_ONCE = 1024;

/**
 * Who is who over all windows, and who spoke when: the last stages of {@link Diarizer.diarize} by themselves, in a worker
 * of their own, which ends with the call. No model is loaded. For another number of speakers again and again, there is
 * {@link Reclusterer}.
 *
 * @param segmentation as {@link segment} gave it
 * @param embeddings as {@link embed} gave them of it; the preset's settings are those that belong to their model
 * @throws VoxlaneError `options`, also where the two do not belong together; `model-*` for the preset's PLDA,
 *   `worker-failed`, `cancelled`
 */
export async function cluster(
  segmentation: Segmentation,
  embeddings: VoiceEmbeddings,
  options: ClusterOptions = {},
): Promise<VoiceClusters> {
  checkNames(options, NAMES);
  checkPairOfStages(segmentation, embeddings);
  const bounds = checkBounds(options);
  const settings = settingsFor(embeddings, checkClustering(options.clustering));
  const { clustering } = settings;
  const dimension = embeddings.shape[2];
  const facts: AssemblyOptions = {
    numSpeakers: segmentation.shape[2],
    dimension,
    geometry: segmentation.geometry,
    options: { ...clustering, ...bounds },
    minCleanFrames: embeddings.minCleanFrames,
    minDurations: minDurationsOf(settings, checkMinDurations(options)),
  };
  throwIfAborted(options.signal);
  const base = clustering.method !== 'agglomerative' ? await modelsBase(options) : '';
  const worker = spawnClusteringWorker();
  const stop = (reason: VoxlaneError): void => {
    worker.terminate(reason);
  };
  try {
    return await unlessAborted(options.signal, async () => {
      if (clustering.method !== 'agglomerative') await worker.call((api) => api.load(clustering.plda, base));
      await worker.call((api) => api.begin());
      await send(segmentation, embeddings, worker);
      const assembly = await worker.call((api) => api.assemble(facts));
      return describe(assembly, segmentation, { dimension, embeddingModel: embeddings.model.sha256 }, bounds);
    }, { stop });
  } finally {
    stop(cancelled());
  }
}

/** @throws VoxlaneError `options` */
function settingsFor({ preset, model, segmentationModel }: VoiceEmbeddings, clustering: ClusteringName): PipelineSettings {
  // What came back from a store may be of another release.
  const settings = Object.hasOwn(PRESETS, preset) ? settingsOf(preset, clustering) : null;
  if (settings?.embedding === model.id && settings.segmentation === segmentationModel.id) return settings;
  throw wrongInput(
    `The embeddings say that they are of the preset ${preset}, and of ${nameOf(segmentationModel)} and ${nameOf(model)}`,
    `a preset with its own models: ${Object.values(PRESETS).map((one) => `${one.preset}, of ${one.segmentation} and ${one.embedding}`).join('; ')}`,
    'Give them as embed() gave them',
  );
}

/** Piece by piece, because the calling thread copies each. */
async function send(
  { data: activity, shape }: Segmentation,
  { data: embeddings }: VoiceEmbeddings,
  worker: ReturnType<typeof spawnClusteringWorker>,
): Promise<void> {
  const [numWindows] = shape;
  for (let from = 0; from < numWindows; from += WINDOWS_AT_ONCE) {
    const end = Math.min(numWindows, from + WINDOWS_AT_ONCE);
    const part = <Values extends Uint8Array | Float32Array>(values: Values): Values => {
      const cells = values.length / numWindows;
      return values.slice(from * cells, end * cells) as Values;
    };
    const parts = { activity: part(activity), embeddings: part(embeddings), embedded: new Uint8Array(end - from).fill(1) };
    await worker.call((api) => api.append(moved(parts, parts.activity, parts.embeddings, parts.embedded)));
  }
}

/** @param assembly null where nobody spoke */
function describe(
  assembly: Assembly | null,
  { shape: [numWindows, , numSpeakers] }: Segmentation,
  facts: { readonly dimension: number; readonly embeddingModel: string },
  bounds: SpeakerBounds,
): VoiceClusters {
  const centroids = assembly?.centroids ?? [];
  const rows = new Float64Array(centroids.length * facts.dimension);
  centroids.forEach((row, index) => { rows.set(row, index * facts.dimension); });
  const named = nameSpeakers(assembly, 0, facts);
  const names = speakerLabels(assembly?.turns ?? []);
  return {
    hardClusters: {
      axes: ['window', 'speaker'],
      shape: [numWindows, numSpeakers],
      data: assembly?.hardClusters ?? new Int32Array(numWindows * numSpeakers).fill(INACTIVE),
    },
    centroids: { axes: ['cluster', 'dimension'], shape: [centroids.length, facts.dimension], data: rows },
    labels: centroids.map((_, index) => names.get(index) ?? null),
    ...named,
    speakerCount: speakerCountOf(named.speakers.length, assembly?.counts ?? [], bounds),
    confidenceKind: assembly?.confidenceKind ?? 'margin',
  };
}
