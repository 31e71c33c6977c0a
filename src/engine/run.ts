import type { DecodedBatch, LocalResults } from '../../workers/contracts';
import { type Core, coreOf } from '../embedding/core';
import type { Assembly } from '../timeline/assembler';
import { assemblyOptions, minDurationsOf, nameSpeakers, Previewer, takeVoices, usedModels } from './assembly';
import { halvedToFit, isMemoryError } from './backend';
import type { Engine } from './engine';
import { InOrder, type MarkDone } from './modelPool';
import { openInput } from './openInput';
import type { CheckedRunOptions } from './options';
import type { ReadyInput } from './source';
import { speakerCountOf } from './speakerCount';
import type { Artifact, StageHook, StageName } from './stages';
import { checkWindowedRun } from './streamRules';
import type { DiarizationResult } from './types';

/** Totals of a recording after both models. */
interface ModelTotals {
  readonly durationSeconds: number;
  readonly timings: Readonly<Partial<Record<StageName, number>>>;
}

/**
 * Runs both models on the windows of the recording that is open in the decoding worker, and passes their outputs to the
 * clustering worker in the order of the windows.
 *
 * Batches overlap: while one is embedded, the next is segmented. A batch is complete after both models: an interruption
 * (a lost device, insufficient memory) costs only the time of that batch.
 *
 * @param expectedSeconds length of the recording according to its container; null for a stream
 * @param onKept called after each batch with the number of windows in the clustering worker and the total; infinite for
 * a stream that has not ended
 */
export async function runModels(
  engine: Engine,
  expectedSeconds: number | null,
  hook: StageHook,
  onKept: (numWindows: number, expectedWindows: number) => void,
): Promise<ModelTotals> {
  const run = new ModelRun(engine, expectedSeconds, hook, onKept);
  const nextBatch = () => engine.decode.call((api) => api.next(engine.batchWindows.current));
  // Enough batches to keep all workers busy while the oldest one is awaited.
  const maxInFlight = engine.segmentation.size + engine.embedding.size + 1;
  const inFlight: { readonly results: Promise<BatchResults>; readonly kept: Promise<void> }[] = [];
  // In the order of the windows, each as soon as possible: a live stream may be slow.
  let kept = Promise.resolve();
  await engine.clustering.call((api) => api.begin());
  // The next batch is decoded while the models compute others.
  let pending: Promise<DecodedBatch | null> = nextBatch();
  try {
    for (let batch = await pending; batch; batch = await pending) {
      pending = nextBatch();
      // Errors of the models and of the decoder must not hide each other as unhandled rejections.
      pending.catch(() => undefined);
      const [before, results] = [kept, run.take(batch)];
      results.catch(() => undefined);
      kept = before.then(async () => {
        run.keep(await results);
      });
      kept.catch(() => undefined);
      inFlight.push({ results, kept });
      if (inFlight.length === maxInFlight) await inFlight.shift()!.kept;
    }
    await kept;
    await run.allKept();
  } finally {
    // After a crash or a cancellation, the worker is already gone.
    engine.decode.call((api) => api.close()).catch(() => undefined);
    // The next run must find idle workers.
    await Promise.allSettled(inFlight.map(({ results }) => results));
  }
  return run.totals();
}

/** The results of a batch, with functions that mark its windows as complete. */
interface BatchResults extends LocalResults {
  readonly numWindows: number;
  /** Index of the first window in the recording. */
  readonly first: number;
  readonly isLast: boolean;
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
      // The features stay in the worker of the model.
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
      first,
      isLast: batch.isLast,
      activity,
      embeddings,
      embedded: Uint8Array.from({ length: numWindows }, (_, index) =>
        this.isEmbedded(first + index, batch.isLast && index === numWindows - 1) ? 1 : 0,
      ),
      markSegmented: this.segmented.open(activity, numWindows),
      markEmbedded: this.embedded.open(embeddings, numWindows),
    };
    // The models run separately: if the embedding model has insufficient memory for all windows, their segmentation is
    // kept.
    await halvedToFit(numWindows, engine.batchWindows, isMemoryError, async (from, to) => {
      // A copy, because sending a view would clone the buffer of the whole batch.
      const isWhole = to - from === numWindows;
      const windows = isWhole ? batch.windows : batch.windows.slice(from * windowSamples, to * windowSamples);
      await this.segment(windows, results, from);
    });
    await this.embedAll(batch.windows, results);
    return results;
  }

  /** Passes on the results of a batch. Call it in the order of the windows. */
  keep({ activity, embeddings, embedded, numWindows }: BatchResults): void {
    this.keptWindows += numWindows;
    // Not awaited: the models continue while the worker clusters for a preview.
    const appended = this.engine.clustering.call((api) => api.append({ activity, embeddings, embedded }));
    appended.catch(() => undefined);
    this.appended.push(appended);
    this.onKept(this.keptWindows, this.isOpenEnded ? Infinity : this.expectedWindows);
  }

  /** Rejects if the clustering worker failed to receive a batch. */
  async allKept(): Promise<void> {
    await Promise.all(this.appended);
  }

  totals(): ModelTotals {
    return {
      durationSeconds: this.decodedSamples / this.engine.segmentationManifest.sampleRate,
      timings: this.timings,
    };
  }

  /** Fast runs embed windows at a hop, and the last window: every frame is in one of them. */
  private isEmbedded(window: number, isLast: boolean): boolean {
    const { speed, settings } = this.engine;
    return speed === 'exact' || isLast || window % settings.fastEmbedHop === 0;
  }

  /** @param window index in the batch */
  private coreOf({ first, numWindows, isLast }: BatchResults, window: number): Core {
    const { settings, segmentationManifest } = this.engine;
    return coreOf(first + window, isLast && window === numWindows - 1, settings.fastEmbedHop, segmentationManifest);
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
   * @param windows axes (window, sample), starting with window `from` of the batch
   * @param results receives the values
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
   * @param results receives the values
   */
  private async embedAll(windows: Float32Array, results: BatchResults): Promise<void> {
    const { engine } = this;
    const { activity, embedded, numWindows } = results;
    const cells = activity.length / numWindows;
    const wanted: number[] = [];
    for (let window = 0; window < numWindows; window++) {
      // A silent window has no speaker to embed.
      const hasVoice = activity.subarray(window * cells, (window + 1) * cells).includes(1);
      if (embedded[window] && hasVoice) wanted.push(window);
      else results.markEmbedded(window);
    }
    // On WASM one by one, for all workers; on a GPU together, because calls are expensive there.
    if (engine.backend.name === 'wasm') await settled(wanted.map((window) => this.embed([window], windows, results)));
    else {
      await halvedToFit(wanted.length, engine.batchWindows, isMemoryError, (from, to) =>
        this.embed(wanted.slice(from, to), windows, results),
      );
    }
  }

  /** Embeds a group of windows of a batch. */
  private async embed(group: readonly number[], windows: Float32Array, results: BatchResults): Promise<void> {
    const { engine } = this;
    const { windowSamples, powerset } = engine.segmentationManifest;
    const numSpeakers = powerset.numSpeakers;
    const samples = pick(windows, group, windowSamples);
    const voices = pick(results.activity, group, results.activity.length / results.numWindows);
    const sizes = {
      numWindows: group.length,
      numSpeakers,
      ...(engine.speed === 'fast' && { cores: group.map((window) => this.coreOf(results, window)) }),
    };
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

/** Concatenates the values of some windows. */
function pick<Values extends Float32Array | Uint8Array>(values: Values, windows: readonly number[], size: number): Values {
  if (windows.length * size === values.length) return values;
  const picked = new (values.constructor as new (length: number) => Values)(windows.length * size);
  windows.forEach((window, index) => {
    picked.set(values.subarray(window * size, (window + 1) * size), index * size);
  });
  return picked;
}

/** Waits for all work before it throws an error, so that nothing is left running. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

export type { DiarizationSource } from './source';

type Timings = Partial<Record<StageName, number>>;

/**
 * Diarizes one recording. Windows stream from the decoder through the two models, and the outputs for the whole
 * recording are assembled at the end. Only the windows in flight are in memory.
 */
export async function runPipeline(
  engine: Engine,
  input: ReadyInput,
  options: CheckedRunOptions,
  hook: StageHook,
): Promise<DiarizationResult> {
  checkWindowedRun(engine.settings.preset, options);
  engine.segmentation.newRun();
  engine.embedding.newRun();
  // If the GPU fails, the run restarts, but a stream can be read only once.
  const opening = { windows: engine.segmentationManifest, sampleRate: engine.segmentationManifest.sampleRate, keepsStream: engine.backend.name === 'webgpu', isLive: false };
  const { facts, release } = await openInput(engine.decode, input, options, opening);
  const previewer = new Previewer(engine, options);
  const isOpenEnded = input.kind === 'stream' && options.durationSeconds === undefined;
  const local = await runModels(engine, isOpenEnded ? null : facts.durationSeconds, hook, (numWindows, expected) => {
    previewer.offer(numWindows, expected);
  }).finally(() => {
    previewer.stop();
    release();
  });
  const notes = await engine.decode.call((api) => api.notes());
  const timings: Timings = { ...local.timings };
  const describeWith = async (assembly: Assembly | null): Promise<DiarizationResult> => {
    const result = { ...describe(engine, local, assembly, options, timings), tracks: facts.tracks, notes };
    return options.keepVoices ? { ...result, voices: await takeVoices(engine, options) } : result;
  };
  const { numSpeakers } = engine.segmentationManifest.powerset;
  hook({ stage: 'clustering', artifact: null, completed: 0, total: 1 });
  const assembly = await engine.clustering.call((api) => api.assemble(assemblyOptions(engine, options)));
  if (!assembly) {
    // Without speech, the remaining stages are complete and have no values.
    for (const stage of ['counting', 'clustering', 'reconstruction'] as const) hook({ stage, artifact: null, completed: 1, total: 1 });
    return describeWith(null);
  }
  Object.assign(timings, assembly.seconds);
  reportAssembly(assembly, numSpeakers, hook);
  return describeWith(assembly);
}

/** Reports the stages after the models. @param numLocal local speakers per window */
export function reportAssembly({ count, hardClusters, diarization }: Assembly, numLocal: number, hook: StageHook): void {
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
  };
}
