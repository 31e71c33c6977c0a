import { transfer } from 'comlink';
import type { DecodeSource } from '../../workers/contracts';
import { moved } from '../../workers/moved';
import { decodeInstead } from '../audio/pageDecode';
import type { Assembly } from '../diarization/assemble';
import { addCounts, countsSince, type GpuCountsByStage } from '../gpu/meter';
import { nameSpeakers, usedModels } from './describe';
import type { Engine } from './engine';
import { runModels, type ModelTotals } from './models';
import { assemblyFacts, minDurationsOf, Previewer } from './preview';
import type { CheckedRunOptions } from './options';
import { takeVoices } from './keptVoices';
import type { ReadyInput } from './runInput';
import { speakerCountOf } from './speakerCount';
import type { StageHook, StageName } from './stages';
import type { DiarizationResult } from './types';

export type { DiarizationSource } from './runInput';

type Timings = Partial<Record<StageName, number>>;

/**
 * Diarizes one recording: windows stream from the decoder through the two models, and what they gave of the
 * whole recording is assembled at the end. Of the audio, only the windows in flight are ever in memory.
 */
export async function runPipeline(
  engine: Engine,
  input: ReadyInput,
  options: CheckedRunOptions,
  hook: StageHook,
): Promise<DiarizationResult> {
  engine.segmentation.newRun();
  engine.embedding.newRun();
  const counted = await gpuCounts(engine);
  const facts = await openInput(engine, input, options);
  const previewer = new Previewer(engine, options);
  const isOpenEnded = input.kind === 'stream' && options.durationSeconds === undefined;
  const local = await runModels(engine, isOpenEnded ? null : facts.durationSeconds, hook, (numWindows, expected) => {
    previewer.offer(numWindows, expected);
  }).finally(() => { previewer.stop(); });
  const notes = await engine.decode.call((api) => api.notes());
  const timings: Timings = { ...local.timings };
  const describeWith = async (assembly: Assembly | null): Promise<DiarizationResult> => {
    const gpu = engine.backend.name === 'webgpu' ? countsSince(await gpuCounts(engine), counted) : null;
    const result = { ...describe(engine, local, assembly, options, timings, gpu), tracks: facts.tracks, notes };
    return options.keepVoices ? { ...result, voices: await takeVoices(engine, options) } : result;
  };
  const { numClasses: numSpeakers } = engine.segmentationManifest.powerset;
  hook({ stage: 'clustering', artifact: null, completed: 0, total: 1 });
  const assembly = await engine.clustering.call((api) => api.assemble(assemblyFacts(engine, options)));
  if (!assembly) {
    // Without speech, the stages that follow are done and have no values.
    for (const stage of ['counting', 'clustering', 'reconstruction'] as const) hook({ stage, artifact: null, completed: 1, total: 1 });
    return describeWith(null);
  }
  Object.assign(timings, assembly.seconds);
  reportAssembly(assembly, numSpeakers, hook);
  return describeWith(assembly);
}

async function gpuCounts({ segmentation, embedding }: Engine): Promise<GpuCountsByStage> {
  return addCounts([await segmentation.gpuCounts(), await embedding.gpuCounts()]);
}

async function openInput(engine: Engine, input: ReadyInput, options: CheckedRunOptions) {
  const { sampleRate, windowSamples, hopSamples } = engine.segmentationManifest;
  const { startSeconds, durationSeconds, track } = options;
  const decodeOptions = {
    sampleRate,
    startSeconds,
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(track !== undefined && { track }),
  };
  const source = await decodeSource(engine, input, track);
  return engine.decode.call((api) => api.open(source, decodeOptions, { windowSamples, hopSamples }));
}

async function decodeSource(engine: Engine, input: ReadyInput, track: number | undefined): Promise<DecodeSource> {
  if (input.kind === 'file') return fileSource(engine, input.blob, track);
  const { sampleRate } = input;
  if (input.kind === 'samples') return { kind: 'samples', samples: input.samples, sampleRate };
  // On a GPU that turns out to be at fault the run starts anew, and a stream can be read once only.
  const port = input.feed.open(engine.backend.name === 'webgpu');
  return transfer({ kind: 'stream', port, sampleRate }, [port]);
}

async function fileSource(engine: Engine, blob: Blob, track: number | undefined): Promise<DecodeSource> {
  const place = await engine.decode.call((api) => api.decoderFor(blob, track));
  // The page's decoder always reads the first track.
  if (place === 'here' || (track ?? 1) > 1) return { kind: 'file', blob };
  const audio = await decodeInstead(blob, place);
  // What the page decoded moves: an hour of it would take the page a second to copy.
  return audio ? moved({ kind: 'channels', ...audio }, ...audio.channels) : { kind: 'file', blob };
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
  { durationSeconds }: ModelTotals,
  assembly: Assembly | null,
  options: CheckedRunOptions,
  timings: Timings,
  gpu: GpuCountsByStage | null,
): Omit<DiarizationResult, 'tracks' | 'notes'> {
  const facts = { dimension: engine.embeddingManifest.embeddingSize, embeddingModel: engine.embeddingModel };
  const named = nameSpeakers(assembly, options.startSeconds, facts);
  return {
    durationSeconds,
    ...named,
    speakerCount: speakerCountOf(named.speakers.length, assembly?.counts ?? [], options),
    confidenceKind: assembly?.confidenceKind ?? 'margin',
    timings,
    backend: engine.backend,
    preset: engine.settings.preset,
    speed: engine.speed,
    clustering: engine.clusteringName,
    ...minDurationsOf(engine.settings, options),
    embeddingModel: engine.embeddingModel,
    models: usedModels(engine),
    modelNote: engine.modelNote,
    gpu,
  };
}
