import { transfer } from 'comlink';
import type { DecodedBatch, DecodeSource, LocalResults } from '../../workers/contracts';
import { moved } from '../../workers/protocol';
import { decodeInstead } from '../audio/pageDecode';
import { addCounts, countsSince, type GpuCountsByStage } from '../gpu/meter';
import type { Assembly } from '../timeline/assembler';
import { VoxlaneError } from '../util/errors';
import { assemblyOptions, minDurationsOf, nameSpeakers, Previewer, takeVoices, usedModels } from './assembly';
import { halvedToFit } from './backend';
import type { Engine } from './engine';
import { InOrder, type MarkDone } from './modelPool';
import type { CheckedRunOptions } from './options';
import type { ReadyInput } from './source';
import { speakerCountOf } from './speakerCount';
import type { Artifact, StageHook, StageName } from './stages';
import type { DiarizationResult } from './types';

/** What is known of a recording once its windows are through both models. */
export interface ModelTotals {
  readonly durationSeconds: number;
  readonly timings: Readonly<Partial<Record<StageName, number>>>;
}

/**
 * Takes the windows of the recording that is open in the decoding worker through both models, and hands what they give
 * to the clustering worker, in the order of the windows.
 *
 * Batches overlap: while one is embedded, the next is segmented. A batch is done when both models are done with it:
 * what interrupts one (a lost device, too little memory) costs that batch's time and nothing of what was there before.
 *
 * @param expectedSeconds length of the recording, as its container has it; null of a stream, whose end nobody knows
 * @param onKept hears after each batch how many windows the clustering worker holds, of how many; of a stream that has not
 * ended, of infinitely many
 */
export async function runModels(
  engine: Engine,
  expectedSeconds: number | null,
  hook: StageHook,
  onKept: (numWindows: number, expectedWindows: number) => void,
): Promise<ModelTotals> {
  const run = new ModelRun(engine, expectedSeconds, hook, onKept);
  const nextBatch = () => engine.decode.call((api) => api.next(engine.batchWindows.current));
  // As many as keep every worker busy while the oldest one is waited for.
  const mostInFlight = engine.segmentation.size + engine.embedding.size + 1;
  const inFlight: { readonly results: Promise<BatchResults>; readonly kept: Promise<void> }[] = [];
  // In the order of the windows, each as soon as it is there: a live stream may be slow to go on.
  let kept = Promise.resolve();
  await engine.clustering.call((api) => api.begin());
  // The next batch is decoded while others are in the models.
  let pending: Promise<DecodedBatch | null> = nextBatch();
  try {
    for (let batch = await pending; batch; batch = await pending) {
      pending = nextBatch();
      // An error in the models must not leave this one unheard, nor one in the decoder those.
      pending.catch(() => undefined);
      const [before, results] = [kept, run.take(batch)];
      results.catch(() => undefined);
      kept = before.then(async () => {
        run.keep(await results);
      });
      kept.catch(() => undefined);
      inFlight.push({ results, kept });
      if (inFlight.length === mostInFlight) await inFlight.shift()!.kept;
    }
    await kept;
    await run.allKept();
  } finally {
    // After a crash or a cancel the worker is gone, and with it whatever was open.
    engine.decode.call((api) => api.close()).catch(() => undefined);
    // The next run must not find workers busy with this one.
    await Promise.allSettled(inFlight.map(({ results }) => results));
  }
  return run.totals();
}

/** A batch's results, and functions that mark its windows as done. */
interface BatchResults extends LocalResults {
  readonly numWindows: number;
  readonly markSegmented: MarkDone;
  readonly markEmbedded: MarkDone;
}

class ModelRun {
  private readonly timings: Partial<Record<StageName, number>> = {};
  private readonly appended: Promise<void>[] = [];
  private takenWindows = 0;
  private keptWindows = 0;
  private readonly segmented: InOrder<Uint8Array>;
  private readonly embedded: InOrder<Float32Array>;
  private expectedWindows: number;
  private isOpenEnded: boolean;
  private decodedSamples = 0;

  constructor(
    private readonly engine: Engine,
    private readonly expectedSeconds: number | null,
    private readonly hook: StageHook,
    private readonly onKept: (numWindows: number, expectedWindows: number) => void,
  ) {
    const { sampleRate, windowSamples, hopSamples, numFrames, powerset } = engine.segmentationManifest;
    const { numSpeakers } = powerset;
    const { embeddingSize } = engine.embeddingManifest;
    this.segmented = new InOrder((data, numWindows, completed) => {
      this.report('segmentation', completed, { axes: ['window', 'frame', 'speaker'], shape: [numWindows, numFrames, numSpeakers], data });
    });
    this.embedded = new InOrder((data, numWindows, completed) => {
      // The features stay with the model.
      this.report('fbank', completed, null);
      this.report('embedding', completed, { axes: ['window', 'speaker', 'dimension'], shape: [numWindows, numSpeakers, embeddingSize], data });
    });
    this.isOpenEnded = expectedSeconds === null;
    this.expectedWindows = Math.max(1, Math.ceil(((expectedSeconds ?? 0) * sampleRate - windowSamples) / hopSamples) + 1);
  }

  async take(batch: DecodedBatch): Promise<BatchResults> {
    const { engine } = this;
    const { windowSamples, numFrames, powerset } = engine.segmentationManifest;
    const { numWindows } = batch;
    this.reportDecoded(batch);
    const first = this.takenWindows;
    this.takenWindows += numWindows;
    const rowCells = powerset.numSpeakers * engine.embeddingManifest.embeddingSize;
    const activity = new Uint8Array(numWindows * numFrames * powerset.numSpeakers);
    const embeddings = new Float32Array(numWindows * rowCells).fill(NaN);
    const results: BatchResults = {
      numWindows,
      activity,
      embeddings,
      embedded: Uint8Array.from({ length: numWindows }, (_, index) =>
        this.isEmbedded(first + index, batch.isLast && index === numWindows - 1) ? 1 : 0,
      ),
      markSegmented: this.segmented.open(activity, numWindows),
      markEmbedded: this.embedded.open(embeddings, numWindows),
    };
    // The models run separately: if the windows do not all fit the embedding model at once, their segmentation is kept.
    await halvedToFit(numWindows, engine.batchWindows, isMemoryError, async (from, to) => {
      // A copy if it is a part: a view would carry the whole batch across.
      const isWhole = to - from === numWindows;
      const windows = isWhole ? batch.windows : batch.windows.slice(from * windowSamples, to * windowSamples);
      await this.segment(windows, results, from);
    });
    await this.embedAll(batch.windows, results);
    return results;
  }

  /** Hands a batch's results on. To be called in the order of the windows. */
  keep({ activity, embeddings, embedded, numWindows }: BatchResults): void {
    this.keptWindows += numWindows;
    // Not waited for: while the worker clusters for a preview, the models go on.
    const appended = this.engine.clustering.call((api) => api.append({ activity, embeddings, embedded }));
    appended.catch(() => undefined);
    this.appended.push(appended);
    this.onKept(this.keptWindows, this.isOpenEnded ? Infinity : this.expectedWindows);
  }

  /** Rejects where the clustering worker did not take a batch. */
  async allKept(): Promise<void> {
    await Promise.all(this.appended);
  }

  totals(): ModelTotals {
    return {
      durationSeconds: this.decodedSamples / this.engine.segmentationManifest.sampleRate,
      timings: this.timings,
    };
  }

  /** Fast runs embed every so many windows, and the last one: every frame is in one of them. */
  private isEmbedded(window: number, isLast: boolean): boolean {
    const { speed, settings } = this.engine;
    return speed === 'exact' || isLast || window % settings.fastEmbedHop === 0;
  }

  private reportDecoded({ numWindows, isLast, decodedSamples, seconds }: DecodedBatch): void {
    this.decodedSamples = decodedSamples;
    this.add('decode', seconds);
    const completed = decodedSamples / this.engine.segmentationManifest.sampleRate;
    if (isLast) this.isOpenEnded = false;
    const total = isLast ? completed : Math.max(this.expectedSeconds ?? 0, completed);
    this.hook({ stage: 'decode', artifact: null, completed, total, ...this.openness() });
    const windows = this.takenWindows + numWindows;
    this.expectedWindows = isLast ? windows : Math.max(this.expectedWindows, windows + 1);
  }

  /**
   * @param windows axes (window, sample), from window `from` of the batch on
   * @param results are filled in
   */
  private async segment(windows: Float32Array, results: BatchResults, from: number): Promise<void> {
    const { engine } = this;
    const numWindows = windows.length / engine.segmentationManifest.windowSamples;
    const { activity, seconds } = await engine.segmentation.call((api) => api.segment(windows));
    results.activity.set(activity, from * (activity.length / numWindows));
    this.add('segmentation', seconds);
    for (let window = from; window < from + numWindows; window++) results.markSegmented(window);
  }

  /**
   * Embeds the windows of a segmented batch.
   *
   * @param windows axes (window, sample)
   * @param results are filled in
   */
  private async embedAll(windows: Float32Array, results: BatchResults): Promise<void> {
    const { engine } = this;
    const { activity, embedded, numWindows } = results;
    const cells = activity.length / numWindows;
    const wanted: number[] = [];
    for (let window = 0; window < numWindows; window++) {
      // A silent window has no voice to embed.
      const hasVoice = activity.subarray(window * cells, (window + 1) * cells).includes(1);
      if (embedded[window] && hasVoice) wanted.push(window);
      else results.markEmbedded(window);
    }
    // On WASM each by itself, for as many workers as there are; on a GPU together, because a call costs more there.
    if (engine.backend.name === 'wasm') await settled(wanted.map((window) => this.embed([window], windows, results)));
    else {
      await halvedToFit(wanted.length, engine.batchWindows, isMemoryError, (from, to) =>
        this.embed(wanted.slice(from, to), windows, results),
      );
    }
  }

  /** Embeds some windows of a batch. */
  private async embed(group: readonly number[], windows: Float32Array, results: BatchResults): Promise<void> {
    const { engine } = this;
    const { windowSamples, powerset } = engine.segmentationManifest;
    const numSpeakers = powerset.numSpeakers;
    const samples = pick(windows, group, windowSamples);
    const voices = pick(results.activity, group, results.activity.length / results.numWindows);
    const sizes = { numWindows: group.length, numSpeakers };
    const reply = await engine.embedding.call((api) => api.embed(samples, voices, sizes));
    const cells = reply.embeddings.length / group.length;
    group.forEach((window, index) => {
      results.embeddings.set(reply.embeddings.subarray(index * cells, (index + 1) * cells), window * cells);
    });
    this.add('fbank', reply.fbankSeconds);
    this.add('embedding', reply.embeddingSeconds);
    for (const window of group) results.markEmbedded(window);
  }

  private report(stage: 'segmentation' | 'fbank' | 'embedding', completed: number, artifact: Artifact | null): void {
    this.hook({ stage, artifact, completed, total: this.expectedWindows, ...this.openness() });
  }

  private openness(): { readonly openEnded?: true } {
    return this.isOpenEnded ? { openEnded: true } : {};
  }

  private add(stage: StageName, seconds: number): void {
    this.timings[stage] = (this.timings[stage] ?? 0) + seconds;
  }
}

/** Some windows' values, side by side. */
function pick<Values extends Float32Array | Uint8Array>(values: Values, windows: readonly number[], size: number): Values {
  if (windows.length * size === values.length) return values;
  const picked = new (values.constructor as new (length: number) => Values)(windows.length * size);
  windows.forEach((window, index) => {
    picked.set(values.subarray(window * size, (window + 1) * size), index * size);
  });
  return picked;
}

/** Waits for all, and only then throws what one of them threw: the others are not left running. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

function isMemoryError(error: unknown): boolean {
  return error instanceof VoxlaneError && error.code === 'gpu-memory';
}

export type { DiarizationSource } from './source';

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
  const { numSpeakers } = engine.segmentationManifest.powerset;
  hook({ stage: 'clustering', artifact: null, completed: 0, total: 1 });
  const assembly = await engine.clustering.call((api) => api.assemble(assemblyOptions(engine, options)));
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
