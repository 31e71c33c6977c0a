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
import { halvedToFit, isMemoryError } from './backend';
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

/** Consecutive windows of one call of a model. */
interface StageBatch {
  /** Axes (window, sample), float32. */
  readonly windows: Float32Array;
  readonly numWindows: number;
  /** Index of the first window in the recording. */
  readonly from: number;
}

/**
 * Cuts samples into windows like the pipeline, and passes them on in batches that fit into the GPU's memory. Only
 * windows in flight are in memory.
 *
 * @param samples axes (sample), at the model's rate
 * @param lanes number of concurrent batches
 * @param work may be called again for a part of a batch that was too large
 * @throws VoxlaneError `audio-not-finite`, and the errors of `work`
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
            // A copy, because sending a view would clone the buffer of the whole batch.
            windows: end - first === numWindows ? windows : windows.slice(first * windowSamples, end * windowSamples),
            numWindows: end - first,
            from: from + first,
          }),
        );
      }
    } catch (error) {
      // The other lanes end after their current batch.
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

/** Concatenates the values of some windows. */
function pickWindows<Values extends Float32Array | Uint8Array>(values: Values, windows: readonly number[], size: number): Values {
  const picked = new (values.constructor as new (length: number) => Values)(windows.length * size);
  windows.forEach((window, index) => { picked.set(values.subarray(window * size, (window + 1) * size), index * size); });
  return picked;
}

/** Frames per slice: ten seconds of audio, about 20 ms of work. */
const FRAMES_AT_ONCE = 1000;

/**
 * Computes mel filterbank features of a recording, with the options of the preset's embedding model. Uses the plain
 * float64 computation on the calling thread, which yields about every 20 ms.
 *
 * The mean over frames is not subtracted: the embedding model requires the mean over the frames of one speaker. Only
 * whole frames are used; remaining samples are ignored. Matches `torchaudio.compliance.kaldi.fbank`.
 *
 * @param samples mono, axes (sample), nominally in [-1, 1], at the model's rate, 16 kHz; not modified
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

/** Yields to other tasks of the thread. Browsers delay timers of background pages to one second. */
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
 * Computes the speaker activity in each window of a recording with the segmentation model: the first stage of {@link
 * Diarizer.diarize} alone, with identical values.
 *
 * Runs in workers shared with {@link embed}, with both models of the preset loaded. They end after `idleSeconds`, or
 * with {@link releaseStages}.
 *
 * @param samples mono, axes (sample), nominally in [-1, 1], at the model's rate, 16 kHz; not modified
 * @throws VoxlaneError `options`, `audio-no-samples`, `audio-not-finite`, `model-*`, `backend-*`, `gpu-*`,
 * `worker-failed`, `cancelled`, `disposed` if the stages are released during the call
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
 * Computes the embedding of each local speaker in each window: the features and the embedding model of {@link
 * Diarizer.diarize} alone, at speed `exact`. Only frames without other speakers are embedded, unless there are too few.
 *
 * Runs in the workers of {@link segment}.
 *
 * @param samples the samples of `segmentation`
 * @throws VoxlaneError `options`, also if the segmentation is of other samples or another model; and the errors of
 * {@link segment}
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

/** @param data receives the values */
async function embedBatch(engine: Engine, segmentation: Segmentation, batch: StageBatch, data: Float32Array): Promise<void> {
  const [, numFrames, numSpeakers] = segmentation.shape;
  const { windows, numWindows, from } = batch;
  const cells = numFrames * numSpeakers;
  const rowCells = numSpeakers * engine.embeddingManifest.embeddingSize;
  const activity = segmentation.data.subarray(from * cells, (from + numWindows) * cells);
  // A silent window has no speaker to embed.
  const wanted = [...Array(numWindows).keys()].filter((window) =>
    activity.subarray(window * cells, (window + 1) * cells).includes(1),
  );
  // On WASM one by one, for all workers; on a GPU together, because calls are expensive there.
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
  // Nothing is left running if one call fails.
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** @throws VoxlaneError `options` if the segmentation is of other samples, or of another model than the engine's */
function checkFit(samples: Float32Array, segmentation: Segmentation, engine: Engine): void {
  const { segmentationManifest: manifest, segmentationModel: sha256 } = engine;
  if (segmentation.model.sha256 !== sha256) {
    throw wrongInput(
      `The segmentation is from ${nameOf(segmentation.model)}, but the preset uses ${nameOf({ id: manifest.id, sha256 })}`,
      'a segmentation from the model of the preset',
      'Pass the same options to segment() and embed()',
    );
  }
  const expected = [countWindows(samples.length, manifest), manifest.numFrames, manifest.powerset.numSpeakers];
  if (segmentation.numSamples === samples.length && segmentation.shape.join() === expected.join()) return;
  throw wrongInput(
    `The segmentation was computed from ${segmentation.numSamples} samples (shape ${segmentation.shape.join(' × ')}), but ${samples.length} samples were passed`,
    `a segmentation of these samples, with the shape ${expected.join(' × ')}`,
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

/** Windows per message to the worker: 4 MB, which the calling thread copies in a few milliseconds. */
const WINDOWS_AT_ONCE = 1024;

/**
 * Clusters local speakers and reconstructs the turns: the last stages of {@link Diarizer.diarize} alone, in a worker
 * that ends with the call. Loads no models except a PLDA. To cluster repeatedly with other numbers of speakers, use
 * {@link Reclusterer}.
 *
 * @param segmentation result of {@link segment}
 * @param embeddings result of {@link embed} for this segmentation; determines the settings by its preset
 * @throws VoxlaneError `options`, also if the two do not belong together; `model-*` for the preset's PLDA,
 * `worker-failed`, `cancelled`
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
  // Stored data may come from another release.
  const settings = Object.hasOwn(PRESETS, preset) ? settingsOf(preset, clustering) : null;
  if (settings?.embedding === model.id && settings.segmentation === segmentationModel.id) return settings;
  throw wrongInput(
    `The embeddings name the preset ${preset}, which does not use the models ${nameOf(segmentationModel)} and ${nameOf(model)}`,
    `a preset with its models: ${Object.values(PRESETS).map((one) => `${one.preset} with ${one.segmentation} and ${one.embedding}`).join('; ')}`,
    'Pass the result of embed() unchanged',
  );
}

/** In pieces, because the calling thread copies each of them. */
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

/** @param assembly null if there is no speech */
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
