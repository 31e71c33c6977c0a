import { VoxlaneError } from '../util/errors';
import type { DecodedBatch, DecodeSource } from '../../workers/contracts';
import { decodeOnPage } from '../audio/pageDecode';
import type { Assembly } from '../diarization/assemble';
import { timeGeometry } from '../timeline/geometry';
import { nameTurns, speakerLabels } from '../timeline/turns';
import type { Engine } from './engine';
import { GrowingArray } from './growingArray';
import type { CheckedRunOptions } from './options';
import type { PipelineSettings } from './settings';
import type { StageHook, StageName } from './stages';
import type { DiarizationResult, Speaker, Turn } from './types';

export type DiarizationSource = Blob | ArrayBuffer | Float32Array;

/** What the models gave for a whole recording. */
interface LocalResults {
  readonly activity: Uint8Array;
  readonly embeddings: Float32Array;
  readonly durationSeconds: number;
}

type Timings = Partial<Record<StageName, number>>;

/**
 * Diarizes one recording: windows stream from the decoder through the two models, and what they gave of the
 * whole recording is assembled at the end. Of the audio, only the windows in flight are ever in memory.
 */
export async function runPipeline(
  engine: Engine,
  settings: PipelineSettings,
  source: DiarizationSource,
  options: CheckedRunOptions,
  hook: StageHook,
): Promise<DiarizationResult> {
  const timings: Timings = {};
  const local = await runModels(engine, settings, source, options, hook, timings);
  const { numClasses: numSpeakers } = engine.segmentationManifest.powerset;
  const { embeddingSize: dimension } = engine.embeddingManifest;
  const hasSpeech = local.activity.includes(1);
  if (!hasSpeech) return describe(engine, local, null, options, timings);

  hook({ stage: 'clustering', artifact: null, completed: 0, total: 1 });
  const assembly = await engine.clustering.call((api) =>
    api.assemble({
      activity: local.activity,
      embeddings: local.embeddings,
      numSpeakers,
      dimension,
      geometry: timeGeometry(engine.segmentationManifest),
      options: { ...settings.clustering, minSpeakers: options.minSpeakers, maxSpeakers: options.maxSpeakers },
    }),
  );
  Object.assign(timings, assembly.seconds);
  reportAssembly(assembly, numSpeakers, hook);
  return describe(engine, local, assembly, options, timings);
}

async function runModels(
  engine: Engine,
  settings: PipelineSettings,
  source: DiarizationSource,
  options: CheckedRunOptions,
  hook: StageHook,
  timings: Timings,
): Promise<LocalResults> {
  const { sampleRate, windowSamples, hopSamples, numFrames, powerset } = engine.segmentationManifest;
  const { embeddingSize } = engine.embeddingManifest;
  const numSpeakers = powerset.numClasses;
  const add = (stage: StageName, seconds: number): void => {
    timings[stage] = (timings[stage] ?? 0) + seconds;
  };

  const facts = await openSource(engine, source, options);
  const batchWindows = settings.batchWindows[engine.backend.name];
  const nextBatch = () => engine.decode.call((api) => api.next(batchWindows));
  const activity = new GrowingArray(Uint8Array);
  const embeddings = new GrowingArray(Float32Array);
  let expectedWindows = Math.max(1, Math.ceil((facts.durationSeconds * sampleRate - windowSamples) / hopSamples) + 1);
  let doneWindows = 0;
  let decodedSamples = 0;
  // The next batch is decoded while this one is in the models.
  let pending: Promise<DecodedBatch | null> = nextBatch();
  try {
    for (let batch = await pending; batch; batch = await pending) {
      const { windows, numWindows, isLast } = batch;
      ({ decodedSamples } = batch);
      add('decode', batch.seconds);
      const total = Math.max(facts.durationSeconds, decodedSamples / sampleRate);
      hook({ stage: 'decode', artifact: null, completed: isLast ? total : decodedSamples / sampleRate, total });
      expectedWindows = isLast ? doneWindows + numWindows : Math.max(expectedWindows, doneWindows + numWindows + 1);
      pending = nextBatch();
      // An error in the models must not leave this one unheard.
      pending.catch(() => undefined);

      const segmented = await engine.segmentation.call((api) => api.segment(windows));
      add('segmentation', segmented.seconds);
      activity.append(segmented.activity);
      hook({
        stage: 'segmentation',
        artifact: {
          axes: ['window', 'frame', 'speaker'],
          shape: [numWindows, numFrames, numSpeakers],
          data: segmented.activity,
        },
        completed: doneWindows + numWindows,
        total: expectedWindows,
      });

      for (let index = 0; index < numWindows; index++) {
        const window = windows.subarray(index * windowSamples, (index + 1) * windowSamples);
        const size = numFrames * numSpeakers;
        const reply = await engine.embedding.call((api) =>
          api.embed(window.slice(), segmented.activity.slice(index * size, (index + 1) * size), numSpeakers),
        );
        doneWindows++;
        add('fbank', reply.fbankSeconds);
        add('embedding', reply.embeddingSeconds);
        embeddings.append(reply.embeddings);
        hook({ stage: 'fbank', artifact: null, completed: doneWindows, total: expectedWindows });
        hook({
          stage: 'embedding',
          artifact: {
            axes: ['window', 'speaker', 'dimension'],
            shape: [1, numSpeakers, embeddingSize],
            data: reply.embeddings,
          },
          completed: doneWindows,
          total: expectedWindows,
        });
      }
    }
  } finally {
    // After a crash or a cancel the worker is gone, and with it whatever was open.
    engine.decode.call((api) => api.close()).catch(() => undefined);
  }
  return {
    activity: activity.toArray(),
    embeddings: embeddings.toArray(),
    durationSeconds: decodedSamples / sampleRate,
  };
}

async function openSource(engine: Engine, source: DiarizationSource, options: CheckedRunOptions) {
  const { sampleRate, windowSamples, hopSamples } = engine.segmentationManifest;
  const { startSeconds, durationSeconds } = options;
  const decodeOptions = { sampleRate, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) };
  const input = await decodeSource(engine, source);
  return engine.decode.call((api) => api.open(input, decodeOptions, { windowSamples, hopSamples }));
}

async function decodeSource(engine: Engine, source: DiarizationSource): Promise<DecodeSource> {
  if (source instanceof Float32Array) return { kind: 'samples', samples: source };
  const blob = toBlob(source);
  const needsPage = await engine.decode.call((api) => api.needsPageDecoder(blob));
  return needsPage ? { kind: 'channels', ...(await decodeOnPage(blob)) } : { kind: 'file', blob };
}

/** Callers without types pass anything. */
function toBlob(source: unknown): Blob {
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer) return new Blob([source]);
  throw new VoxlaneError({
    code: 'options',
    problem: `The source is ${Object.prototype.toString.call(source)}`,
    expected: 'a Blob or File, an ArrayBuffer with a file, or a Float32Array of mono samples at 16 kHz',
    remedy: 'Pass one of these',
  });
}

function reportAssembly({ count, hardClusters, diarization }: Assembly, numLocal: number, hook: StageHook): void {
  const done = { completed: 1, total: 1 };
  hook({ stage: 'counting', artifact: { axes: ['frame'], shape: [count.length], data: count }, ...done });
  hook({
    stage: 'clustering',
    artifact: {
      axes: ['window', 'speaker'],
      shape: [hardClusters.length / numLocal, numLocal],
      data: hardClusters,
    },
    ...done,
  });
  const { data, numSpeakers } = diarization;
  const shape = [data.length / numSpeakers, numSpeakers];
  hook({ stage: 'reconstruction', artifact: { axes: ['frame', 'speaker'], shape, data }, ...done });
}

function describe(
  engine: Engine,
  { durationSeconds }: LocalResults,
  assembly: Assembly | null,
  { startSeconds }: CheckedRunOptions,
  timings: Timings,
): DiarizationResult {
  const labels = speakerLabels(assembly?.turns ?? []);
  const turns = nameTurns(assembly?.turns ?? [], labels, startSeconds);
  const { embeddingSize } = engine.embeddingManifest;
  return {
    durationSeconds,
    turns,
    exclusiveTurns: nameTurns(assembly?.exclusiveTurns ?? [], labels, startSeconds),
    speakers: [...labels].map(([cluster, label]) =>
      describeSpeaker(label, turns, assembly?.centroids[cluster], embeddingSize),
    ),
    timings,
    backend: engine.backend,
  };
}

function describeSpeaker(
  label: string,
  turns: readonly Turn[],
  centroid: Float64Array | undefined,
  embeddingSize: number,
): Speaker {
  // A cluster that no embedding took part in has a NaN centroid, and a speaker beyond the clusters has none.
  const usable = centroid && !centroid.some((value) => Number.isNaN(value));
  const own = turns.filter((turn) => turn.speaker === label);
  return {
    label,
    centroid: usable ? Float32Array.from(centroid) : new Float32Array(embeddingSize),
    speechSeconds: own.reduce((sum, turn) => sum + (turn.endSeconds - turn.startSeconds), 0),
  };
}
