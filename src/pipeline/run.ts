import { VoxlaneError } from '../util/errors';
import type { DecodeSource } from '../../workers/contracts';
import { moved } from '../../workers/moved';
import { decodeOnPage } from '../audio/pageDecode';
import type { Assembly } from '../diarization/assemble';
import { addCounts, countsSince, type GpuCountsByStage } from '../gpu/meter';
import { nameSpeakers, usedModels } from './describe';
import type { Engine } from './engine';
import { runModels, type ModelTotals } from './models';
import { assemblyFacts, Previewer } from './preview';
import type { CheckedRunOptions } from './options';
import { takeVoices } from './keptVoices';
import type { StageHook, StageName } from './stages';
import type { DiarizationResult } from './types';

export type DiarizationSource = Blob | ArrayBuffer | Float32Array;

type Timings = Partial<Record<StageName, number>>;

/**
 * Diarizes one recording: windows stream from the decoder through the two models, and what they gave of the
 * whole recording is assembled at the end. Of the audio, only the windows in flight are ever in memory.
 */
export async function runPipeline(
  engine: Engine,
  source: DiarizationSource,
  options: CheckedRunOptions,
  hook: StageHook,
): Promise<DiarizationResult> {
  engine.segmentation.newRun();
  engine.embedding.newRun();
  const counted = await gpuCounts(engine);
  const facts = await openSource(engine, source, options);
  const previewer = new Previewer(engine, options);
  const local = await runModels(engine, facts.durationSeconds, hook, (numWindows, expected) => {
    previewer.offer(numWindows, expected);
  });
  previewer.stop();
  const timings: Timings = { ...local.timings };
  const describeWith = async (assembly: Assembly | null): Promise<DiarizationResult> => {
    const gpu = engine.backend.name === 'webgpu' ? countsSince(await gpuCounts(engine), counted) : null;
    const result = describe(engine, local, assembly, options, timings, gpu);
    return options.keepVoices ? { ...result, voices: await takeVoices(engine, options) } : result;
  };
  const { numClasses: numSpeakers } = engine.segmentationManifest.powerset;
  hook({ stage: 'clustering', artifact: null, completed: 0, total: 1 });
  const assembly = await engine.clustering.call((api) => api.assemble(assemblyFacts(engine, options)));
  if (!assembly) return describeWith(null);
  Object.assign(timings, assembly.seconds);
  reportAssembly(assembly, numSpeakers, hook);
  return describeWith(assembly);
}

async function gpuCounts({ segmentation, embedding }: Engine): Promise<GpuCountsByStage> {
  return addCounts([await segmentation.gpuCounts(), await embedding.gpuCounts()]);
}

async function openSource(engine: Engine, source: DiarizationSource, options: CheckedRunOptions) {
  const { sampleRate, windowSamples, hopSamples } = engine.segmentationManifest;
  const { startSeconds, durationSeconds } = options;
  const decodeOptions = { sampleRate, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) };
  const input = await decodeSource(engine, source);
  // What the page decoded moves: an hour of it would take the page a second to copy.
  const moving = input.kind === 'channels' ? moved(input, ...input.channels) : input;
  return engine.decode.call((api) => api.open(moving, decodeOptions, { windowSamples, hopSamples }));
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
  { durationSeconds }: ModelTotals,
  assembly: Assembly | null,
  { startSeconds }: CheckedRunOptions,
  timings: Timings,
  gpu: GpuCountsByStage | null,
): DiarizationResult {
  const facts = { dimension: engine.embeddingManifest.embeddingSize, embeddingModel: engine.embeddingModel };
  return {
    durationSeconds,
    ...nameSpeakers(assembly, startSeconds, facts),
    confidenceKind: assembly?.confidenceKind ?? 'margin',
    timings,
    backend: engine.backend,
    preset: engine.settings.preset,
    speed: engine.speed,
    embeddingModel: engine.embeddingModel,
    models: usedModels(engine),
    modelNote: engine.modelNote,
    gpu,
  };
}
