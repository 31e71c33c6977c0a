import { countWindows } from '../audio/windows';
import { countFrames, fbankGeometry } from '../fbank/options';
import { Fbank } from '../fbank/fbank';
import { minCleanFrames } from '../embedding/mask';
import { loadManifest } from '../store/load';
import { timeGeometry } from '../timeline/geometry';
import { cancelled, type Engine } from './engine';
import { eachBatch, pickWindows, type StageBatch } from './singleStagesBatches';
import { checkSamples, checkSegmentation, nameOf, wrongInput } from './singleStagesChecks';
import { checkStageOptions, resolveStageOptions, withEngine } from './singleStagesEngine';
import type { FbankFeatures, FbankStageOptions, Segmentation, StageOptions, VoiceEmbeddings } from './singleStagesTypes';

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
    if (options.signal?.aborted) throw cancelled(options.signal);
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
    const cells = numFrames * powerset.numClasses;
    const data = new Uint8Array(numWindows * cells);
    engine.segmentation.newRun();
    await eachBatch(engine, samples, engine.segmentation.size + 1, async ({ windows, from }) => {
      const { activity } = await engine.segmentation.call((api) => api.segment(windows));
      data.set(activity, from * cells);
    });
    return {
      axes: ['window', 'frame', 'speaker'],
      shape: [numWindows, numFrames, powerset.numClasses],
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
  const expected = [countWindows(samples.length, manifest), manifest.numFrames, manifest.powerset.numClasses];
  if (segmentation.numSamples === samples.length && segmentation.shape.join() === expected.join()) return;
  throw wrongInput(
    `The segmentation is of ${segmentation.numSamples} samples and has the shape (${segmentation.shape.join(', ')}); there are ${samples.length} samples`,
    `a segmentation of these samples, of shape (${expected.join(', ')})`,
    'Call segment() with the same samples',
  );
}
