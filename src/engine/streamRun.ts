import type { DecodedSamples } from '../../workers/contracts';
import { type ActivityTurns, ActivityBuilder, probabilitiesOf } from '../sortformer/activity';
import type { StreamLogits } from '../sortformer/chunkLoop';
import { fbankGeometry } from '../features/fbank';
import { blockLengths } from '../sortformer/stepSchedule';
import type { MinDurations } from '../timeline/minDurations';
import { type IndexedTurn, labelsByTurn, nameTurns } from '../timeline/turns';
import { minDurationsOf } from './assembly';
import { openInput } from './openInput';
import type { CheckedRunOptions } from './options';
import type { ReadyInput } from './source';
import { speakerCountOf } from './speakerCount';
import type { StageHook, StageName } from './stages';
import { EmbeddedRun } from './streamEmbedding';
import type { StreamEngine } from './streamStart';
import { needsVoices } from './streamVoices';
import type { DiarizationResult, Speaker, Turn } from './types';

/** Longest block of samples that is read at once: few messages, little memory. */
const MAX_BLOCK_SECONDS = 8;

/** Seconds before the first preview. */
const FIRST_PREVIEW_SECONDS = 30;
/** Growth of the analyzed part between previews. */
const PREVIEW_GROWTH = 1.5;

/**
 * Diarizes one recording with a streaming model. Samples stream from the decoder to the model; only the blocks in flight, the
 * state of the model and the turns are in memory. If a number of speakers or kept voices are requested, the speech of each identity
 * is embedded and clustered too; this keeps the samples that have no decisions yet.
 *
 * @throws VoxlaneError `options`, `audio-*`, `model-*`, `worker-failed`
 */
export async function runStream(engine: StreamEngine, input: ReadyInput, options: CheckedRunOptions, hook: StageHook): Promise<DiarizationResult> {
  const { decode, sortformer } = engine;
  const voices = needsVoices(options, engine.streaming.numSpeakers) ? await engine.voices.get() : null;
  const { sampleRate, fbank } = engine.manifest;
  const opening = { windows: null, sampleRate, keepsStream: engine.backend.name === 'webgpu', isLive: options.streamingMode !== 'offline' };
  const { facts, release } = await openInput(decode, input, options, opening);
  const isOpenEnded = input.kind === 'stream' && options.durationSeconds === undefined;
  const run = new StreamRun(engine, options, hook, isOpenEnded ? null : facts.durationSeconds);
  const embedded = voices && new EmbeddedRun(engine, voices, options, streamMinDurations(engine, options), hook, isOpenEnded ? null : facts.durationSeconds);
  const { hopSamples, frameSamples: windowSamples, fftSize } = fbankGeometry(fbank, sampleRate);
  const lengths = blockLengths(engine.streaming, options.streamingMode, { hopSamples, windowSamples, fftSize }, MAX_BLOCK_SECONDS * sampleRate);
  const read = (): Promise<DecodedSamples | null> => {
    const count = lengths.next().value;
    const block = decode.call((api) => api.nextSamples(count));
    // Errors of the model and of the decoder must not hide each other as unhandled rejections.
    block.catch(() => undefined);
    return block;
  };
  try {
    await sortformer.call((api) => api.begin(options.streamingMode));
    await embedded?.begin();
    let pending = read();
    for (let block = await pending; block; block = await pending) {
      // The next block is decoded while the model computes.
      pending = read();
      const samples = run.take(block);
      embedded?.addSamples(samples);
      const decided = await sortformer.call((api) => api.push(samples));
      run.decide(decided);
      await embedded?.decide(decided);
    }
    run.completeDecoding();
    const last = await sortformer.call((api) => api.finish());
    run.decide(last);
    await embedded?.decide(last);
    await embedded?.finish();
  } finally {
    // After a crash or a cancellation, the worker is already gone.
    decode.call((api) => api.close()).catch(() => undefined);
    release();
  }
  const notes = await decode.call((api) => api.notes());
  const result = { ...run.result(), tracks: facts.tracks, notes };
  return embedded ? embedded.complete(result) : result;
}

class StreamRun {
  private readonly activity: ActivityBuilder;
  private readonly minDurations: MinDurations;
  private readonly timings: Partial<Record<StageName, number>> = {};
  private readonly hopSamples: number;
  private decodedSamples = 0;
  private decidedFrames = 0;
  private isComplete = false;
  private nextPreviewSeconds = FIRST_PREVIEW_SECONDS;

  /** @param expectedSeconds length of the recording according to its container; null for a stream that has not ended */
  constructor(
    private readonly engine: StreamEngine,
    private readonly options: CheckedRunOptions,
    private readonly hook: StageHook,
    private readonly expectedSeconds: number | null,
  ) {
    const { manifest, streaming } = engine;
    const { sampleRate } = manifest;
    const { threshold } = streaming.segments;
    const { hopSamples } = fbankGeometry(manifest.fbank, sampleRate);
    this.hopSamples = hopSamples;
    this.minDurations = streamMinDurations(engine, options);
    this.activity = new ActivityBuilder(threshold, streaming.numSpeakers, { hopSamples, sampleRate }, this.minDurations);
  }

  /** @returns axes (sample), float32 */
  take({ samples, decodedSamples, seconds }: DecodedSamples): Float32Array {
    this.decodedSamples = decodedSamples;
    this.add('decode', seconds);
    this.reportDecoded();
    return samples;
  }

  /** There are no more samples. */
  completeDecoding(): void {
    this.isComplete = true;
    this.reportDecoded();
  }

  decide(decided: StreamLogits & { readonly seconds: number }): void {
    this.add('segmentation', decided.seconds);
    if (decided.numFrames === 0) return;
    const { numSpeakers } = this.engine.streaming;
    this.activity.push(decided);
    this.decidedFrames += decided.numFrames;
    const shape = [decided.numFrames, numSpeakers];
    const completed = (this.decidedFrames * this.hopSamples) / this.engine.manifest.sampleRate;
    this.hook({
      stage: 'segmentation',
      artifact: { axes: ['frame', 'speaker'], shape, data: probabilitiesOf(decided.logits) },
      completed,
      total: this.total(completed),
      ...this.openness(),
    });
    this.preview(completed);
  }

  result(): Omit<DiarizationResult, 'tracks' | 'notes'> {
    const { engine, options, timings, minDurations } = this;
    const durationSeconds = this.decodedSamples / engine.manifest.sampleRate;
    // The last frame begins before the end of the recording, so the progress would end below its total.
    this.hook({ stage: 'segmentation', artifact: null, completed: durationSeconds, total: durationSeconds });
    const { turns, exclusiveTurns, labels } = this.named();
    const speakers = labels.map((label) => speakerOf(label, turns));
    const { preset, model } = engine.settings;
    return {
      durationSeconds,
      turns,
      exclusiveTurns,
      speakers,
      speakerCount: speakerCountOf(speakers.length, [], options),
      confidenceKind: null,
      timings,
      backend: engine.backend,
      preset,
      speed: 'exact',
      clustering: 'preset',
      streamingMode: options.streamingMode,
      ...minDurations,
      embeddingModel: null,
      models: [{ stage: 'segmentation', id: model, sha256: engine.sha256 }],
      modelNote: engine.note,
    };
  }

  /** The turns up to now, and the labels of the speakers in the order of their first turns. */
  private named(): { readonly turns: Turn[]; readonly exclusiveTurns: Turn[]; readonly labels: readonly string[] } {
    const { turns, exclusiveTurns }: ActivityTurns = this.activity.result();
    const labels = labelsByTurn(turns);
    const name = (indexed: readonly IndexedTurn[]): Turn[] =>
      nameTurns(indexed.map((turn) => ({ ...turn, confidence: null })), labels, this.options.startSeconds);
    return { turns: name(turns), exclusiveTurns: name(exclusiveTurns), labels: [...labels.values()] };
  }

  private preview(analyzedSeconds: number): void {
    const { onPreview, startSeconds } = this.options;
    if (!onPreview || this.isComplete || analyzedSeconds < this.nextPreviewSeconds) return;
    this.nextPreviewSeconds = analyzedSeconds * PREVIEW_GROWTH;
    onPreview({ analyzedSeconds: startSeconds + analyzedSeconds, turns: this.named().turns });
  }

  /** Total seconds of a stage; an estimate until decoding is complete. */
  private total(completed: number): number {
    if (this.isComplete) return this.decodedSamples / this.engine.manifest.sampleRate;
    return Math.max(this.expectedSeconds ?? this.decodedSamples / this.engine.manifest.sampleRate, completed);
  }

  private openness(): { readonly openEnded?: true } {
    return this.expectedSeconds === null && !this.isComplete ? { openEnded: true } : {};
  }

  private reportDecoded(): void {
    const completed = this.decodedSamples / this.engine.manifest.sampleRate;
    this.hook({ stage: 'decode', artifact: null, completed, total: this.total(completed), ...this.openness() });
  }

  private add(stage: StageName, seconds: number): void {
    this.timings[stage] = (this.timings[stage] ?? 0) + seconds;
  }
}

/** Minimum durations of a run: the requested ones, by default those of the model. */
export function streamMinDurations({ streaming }: Pick<StreamEngine, 'streaming'>, options: CheckedRunOptions): MinDurations {
  const { minDurationOnSeconds, minDurationOffSeconds } = streaming.segments;
  return minDurationsOf({ minDurations: { minDurationOn: minDurationOnSeconds, minDurationOff: minDurationOffSeconds } }, options);
}

/** There are no embeddings: the model identifies speakers in its own state. */
function speakerOf(label: string, turns: readonly Turn[]): Speaker {
  const speechSeconds = turns.reduce((sum, { speaker, startSeconds, endSeconds }) => (speaker === label ? sum + (endSeconds - startSeconds) : sum), 0);
  return { label, centroid: null, embeddingModel: null, speechSeconds };
}
