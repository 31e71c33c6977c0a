import type { DecodedBatch, EmbeddingReply } from '../../workers/contracts';
import { VoxlaneError } from '../util/errors';
import { halvedToFit } from './batchSize';
import type { Engine } from './engine';
import { GrowingArray } from './growingArray';
import type { StageHook, StageName } from './stages';

/** What the models gave for a whole recording. */
export interface LocalResults {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32. */
  readonly embeddings: Float32Array;
  readonly durationSeconds: number;
  readonly timings: Readonly<Partial<Record<StageName, number>>>;
}

/**
 * Takes the windows of the recording that is open in the decoding worker through both models.
 *
 * A batch is done when both models are done with it, and only then counted: what interrupts one (a lost device, too
 * little memory) costs that batch's time and nothing of what was there before.
 *
 * @param expectedSeconds length of the recording, as its container has it
 */
export async function runModels(engine: Engine, expectedSeconds: number, hook: StageHook): Promise<LocalResults> {
  const run = new ModelRun(engine, expectedSeconds, hook);
  const nextBatch = () => engine.decode.call((api) => api.next(engine.batchWindows.current));
  // The next batch is decoded while this one is in the models.
  let pending: Promise<DecodedBatch | null> = nextBatch();
  try {
    for (let batch = await pending; batch; batch = await pending) {
      pending = nextBatch();
      // An error in the models must not leave this one unheard.
      pending.catch(() => undefined);
      await run.take(batch);
    }
  } finally {
    // After a crash or a cancel the worker is gone, and with it whatever was open.
    engine.decode.call((api) => api.close()).catch(() => undefined);
  }
  return run.results();
}

class ModelRun {
  private readonly activity = new GrowingArray(Uint8Array);
  private readonly embeddings = new GrowingArray(Float32Array);
  private readonly timings: Partial<Record<StageName, number>> = {};
  private doneWindows = 0;
  private expectedWindows: number;
  private decodedSamples = 0;

  constructor(
    private readonly engine: Engine,
    private readonly expectedSeconds: number,
    private readonly hook: StageHook,
  ) {
    const { sampleRate, windowSamples, hopSamples } = engine.segmentationManifest;
    this.expectedWindows = Math.max(1, Math.ceil((expectedSeconds * sampleRate - windowSamples) / hopSamples) + 1);
  }

  async take(batch: DecodedBatch): Promise<void> {
    const { windowSamples } = this.engine.segmentationManifest;
    this.reportDecoded(batch);
    await halvedToFit(batch.numWindows, this.engine.batchWindows, isMemoryError, async (from, to) => {
      // A copy where it is a part: a view would carry the whole batch across.
      const isWhole = to - from === batch.numWindows;
      const windows = isWhole ? batch.windows : batch.windows.slice(from * windowSamples, to * windowSamples);
      await this.runBatch(windows, to - from);
    });
  }

  results(): LocalResults {
    return {
      activity: this.activity.toArray(),
      embeddings: this.embeddings.toArray(),
      durationSeconds: this.decodedSamples / this.engine.segmentationManifest.sampleRate,
      timings: this.timings,
    };
  }

  private reportDecoded({ numWindows, isLast, decodedSamples, seconds }: DecodedBatch): void {
    this.decodedSamples = decodedSamples;
    this.add('decode', seconds);
    const completed = decodedSamples / this.engine.segmentationManifest.sampleRate;
    const total = isLast ? completed : Math.max(this.expectedSeconds, completed);
    this.hook({ stage: 'decode', artifact: null, completed, total });
    const windows = this.doneWindows + numWindows;
    this.expectedWindows = isLast ? windows : Math.max(this.expectedWindows, windows + 1);
  }

  /** @param windows axes (window, sample) */
  private async runBatch(windows: Float32Array, numWindows: number): Promise<void> {
    const { engine } = this;
    const { numFrames, powerset } = engine.segmentationManifest;
    const numSpeakers = powerset.numClasses;
    const segmented = await engine.segmentation.call((api) => api.segment(windows));
    // On WASM window by window, for progress; on a GPU together, because a call costs more than a window there.
    const step = engine.backend.name === 'wasm' ? 1 : numWindows;
    const replies: EmbeddingReply[] = [];
    for (let from = 0; from < numWindows; from += step) {
      const part = <Values extends Float32Array | Uint8Array>(values: Values): Values =>
        values.slice((from * values.length) / numWindows, ((from + step) * values.length) / numWindows) as Values;
      const [samples, activity] = [part(windows), part(segmented.activity)];
      replies.push(await engine.embedding.call((api) => api.embed(samples, activity, { numWindows: step, numSpeakers })));
      const progress = { completed: this.doneWindows + from + step, total: this.expectedWindows };
      if (from + step < numWindows) {
        this.hook({ stage: 'fbank', artifact: null, ...progress });
        this.hook({ stage: 'embedding', artifact: null, ...progress });
      }
    }

    this.doneWindows += numWindows;
    const progress = { completed: this.doneWindows, total: this.expectedWindows };
    this.add('segmentation', segmented.seconds);
    this.activity.append(segmented.activity);
    const activityShape = [numWindows, numFrames, numSpeakers];
    const activity = { axes: ['window', 'frame', 'speaker'], shape: activityShape, data: segmented.activity };
    this.hook({ stage: 'segmentation', artifact: activity, ...progress });
    this.hook({ stage: 'fbank', artifact: null, ...progress });
    this.reportEmbeddings(replies, numSpeakers, progress);
  }

  private reportEmbeddings(
    replies: readonly EmbeddingReply[],
    numSpeakers: number,
    progress: { readonly completed: number; readonly total: number },
  ): void {
    const dimension = this.engine.embeddingManifest.embeddingSize;
    const batch = new GrowingArray(Float32Array);
    for (const { embeddings, fbankSeconds, embeddingSeconds } of replies) {
      batch.append(embeddings);
      this.add('fbank', fbankSeconds);
      this.add('embedding', embeddingSeconds);
    }
    const data = batch.toArray();
    this.embeddings.append(data);
    const shape = [data.length / (numSpeakers * dimension), numSpeakers, dimension];
    const artifact = { axes: ['window', 'speaker', 'dimension'], shape, data };
    this.hook({ stage: 'embedding', artifact, ...progress });
  }

  private add(stage: StageName, seconds: number): void {
    this.timings[stage] = (this.timings[stage] ?? 0) + seconds;
  }
}

function isMemoryError(error: unknown): boolean {
  return error instanceof VoxlaneError && error.code === 'gpu-memory';
}
