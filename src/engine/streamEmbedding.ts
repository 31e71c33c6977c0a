import { fbankGeometry } from '../features/fbank';
import type { SpeakerBounds } from '../clustering/localSpeakers';
import { minCleanFrames } from '../embedding/mask';
import { type DecidedWindow, spanGeometry, type SpanGeometry, SpanWindows } from '../sortformer/spanWindows';
import type { StreamLogits } from '../sortformer/chunkLoop';
import type { AssemblyOptions } from '../timeline/assembler';
import type { MinDurations } from '../timeline/minDurations';
import { nameSpeakers, VOICES_VERSION } from './assembly';
import type { CheckedRunOptions } from './options';
import { reportAssembly } from './run';
import type { ClusteringSettings } from './settings';
import { speakerCountOf } from './speakerCount';
import type { StageHook, StageName } from './stages';
import type { StreamEngine } from './streamStart';
import type { StreamVoices } from './streamVoices';
import type { DiarizationResult, KeptVoices } from './types';

/**
 * The embeddings of one recording with a streaming model, and the result that follows from them. The speech of each identity in each
 * window is a local speaker, as in presets with windows; the windows do not overlap.
 */
export class EmbeddedRun {
  private readonly windows: SpanWindows;
  private readonly geometry: SpanGeometry;
  private readonly timings: Partial<Record<StageName, number>> = {};
  /** The embedding of earlier windows. */
  private work: Promise<void> = Promise.resolve();
  private numWindows = 0;
  private numSamples = 0;
  private hasEnded = false;

  /**
   * @param minDurations of the turns
   * @param expectedSeconds length of the recording according to its container; null for a stream that has not ended
   */
  constructor(
    private readonly engine: StreamEngine,
    private readonly voices: StreamVoices,
    private readonly options: CheckedRunOptions,
    private readonly minDurations: MinDurations,
    private readonly hook: StageHook,
    private readonly expectedSeconds: number | null,
  ) {
    const { manifest, streaming } = engine;
    this.geometry = spanGeometry(streaming, options.streamingMode, fbankGeometry(manifest.fbank, manifest.sampleRate).hopSamples, manifest.sampleRate);
    this.windows = new SpanWindows(this.geometry, streaming.numSpeakers, streaming.segments.threshold);
  }

  async begin(): Promise<void> {
    await this.voices.clustering.call((api) => api.begin());
  }

  /** @param samples axes (sample): those that follow earlier ones */
  addSamples(samples: Float32Array): void {
    this.numSamples += samples.length;
    this.windows.addSamples(samples);
  }

  /**
   * Starts to embed the windows that are complete, and waits for those of earlier calls only: the model computes the next chunk
   * meanwhile.
   *
   * @param decided the frames that follow earlier ones
   */
  async decide(decided: StreamLogits): Promise<void> {
    const windows = this.windows.decide(decided);
    if (windows.length === 0) return;
    await this.work;
    this.work = this.embedAll(windows);
    // The next call reports an error.
    this.work.catch(() => undefined);
  }

  /** Embeds the last window. */
  async finish(): Promise<void> {
    await this.work;
    this.hasEnded = true;
    const last = this.windows.finish();
    if (last) await this.embed(last);
  }

  /** @param identities the result without embeddings */
  async complete(identities: DiarizationResult): Promise<DiarizationResult> {
    const { engine, voices, options, hook, timings } = this;
    const { clustering, manifest, embeddingModel, pldaModel } = voices;
    hook({ stage: 'clustering', artifact: null, completed: 0, total: 1 });
    const assembly = await clustering.call((api) => api.assemble(this.assemblyOptions(options)));
    if (assembly) reportAssembly(assembly, engine.streaming.numSpeakers, hook);
    // Without speech, the remaining stages are complete and have no values.
    else for (const stage of ['counting', 'clustering', 'reconstruction'] as const) hook({ stage, artifact: null, completed: 1, total: 1 });
    const named = nameSpeakers(assembly, options.startSeconds, { dimension: manifest.embeddingSize, embeddingModel });
    const { embedding, clustering: settings } = engine.settings.voices;
    const result: DiarizationResult = {
      ...identities,
      ...named,
      speakerCount: speakerCountOf(named.speakers.length, assembly?.counts ?? [], options),
      confidenceKind: assembly?.confidenceKind ?? 'margin',
      timings: { ...identities.timings, ...timings, ...assembly?.seconds },
      embeddingModel,
      models: [...identities.models, { stage: 'embedding', id: embedding, sha256: embeddingModel }, { stage: 'plda', id: settings.plda, sha256: pldaModel }],
    };
    return options.keepVoices ? { ...result, voices: await this.take(identities) } : result;
  }

  private async embedAll(windows: readonly DecidedWindow[]): Promise<void> {
    for (const window of windows) await this.embed(window);
  }

  private async embed({ samples, activity, strongest }: DecidedWindow): Promise<void> {
    const { voices, timings } = this;
    const { numSpeakers } = this.engine.streaming;
    const { embeddingSize } = voices.manifest;
    let embeddings = new Float32Array(numSpeakers * embeddingSize).fill(NaN);
    // A silent window has no speaker to embed.
    if (activity.includes(1)) {
      const reply = await voices.embedding.call((api) => api.embed(samples, activity, { numWindows: 1, numSpeakers }));
      embeddings = reply.embeddings.slice();
      timings.fbank = (timings.fbank ?? 0) + reply.fbankSeconds;
      timings.embedding = (timings.embedding ?? 0) + reply.embeddingSeconds;
    }
    await voices.clustering.call((api) => api.append({ activity, embeddings, embedded: Uint8Array.of(1), strongest }));
    this.numWindows++;
    this.report('fbank', null);
    this.report('embedding', embeddings);
  }

  private report(stage: 'fbank' | 'embedding', embeddings: Float32Array | null): void {
    const { numWindows, hook, geometry, engine } = this;
    const { numSpeakers } = engine.streaming;
    const data = embeddings && { axes: ['window', 'speaker', 'dimension'], shape: [1, numSpeakers, embeddings.length / numSpeakers], data: embeddings };
    const windowSamples = geometry.framesPerWindow * geometry.hopSamples;
    // The last samples may be too few for a frame.
    const hopSamples = Math.max(this.numSamples, (this.expectedSeconds ?? 0) * geometry.sampleRate) - geometry.hopSamples + 1;
    const total = this.hasEnded ? numWindows : Math.max(numWindows, Math.ceil(hopSamples / windowSamples));
    const isOpen = this.expectedSeconds === null && !this.hasEnded;
    hook({ stage, artifact: data, completed: numWindows, total, ...(isOpen && { openEnded: true as const }) });
  }

  /** Options for the clustering worker. */
  private assemblyOptions({ minSpeakers, maxSpeakers }: SpeakerBounds): AssemblyOptions {
    const { engine, voices, geometry, minDurations } = this;
    const { framesPerWindow, hopSamples, sampleRate } = geometry;
    const { embeddingSize, minSamples } = voices.manifest;
    const windowSamples = framesPerWindow * hopSamples;
    const windowSeconds = windowSamples / sampleRate;
    const framesPerSecond = sampleRate / hopSamples;
    return {
      numSpeakers: engine.streaming.numSpeakers,
      dimension: embeddingSize,
      geometry: {
        windows: { durationSeconds: windowSeconds, stepSeconds: windowSeconds },
        // A turn starts and ends at the start of a frame.
        frames: { durationSeconds: 0, stepSeconds: hopSamples / sampleRate, ...(Number.isInteger(framesPerSecond) && { stepsPerSecond: framesPerSecond }) },
        framesPerWindow,
      },
      options: { ...this.clustering(), minSpeakers, maxSpeakers },
      minCleanFrames: minCleanFrames(framesPerWindow, windowSamples, minSamples),
      minDurations,
    };
  }

  private clustering(): Extract<ClusteringSettings, { readonly method: 'identities' }> {
    return { method: 'identities', ...this.engine.settings.voices.clustering, windowsPerSpan: this.geometry.windowsPerSpan };
  }

  private async take({ preset, speed, models }: DiarizationResult): Promise<KeptVoices> {
    const { options, voices } = this;
    const { numSpeakers, dimension, geometry, minCleanFrames: minFrames, minDurations } = this.assemblyOptions(options);
    const [{ id, sha256 }] = models as [DiarizationResult['models'][number]];
    return {
      version: VOICES_VERSION,
      preset,
      speed,
      segmentation: { id, sha256 },
      embedding: { id: voices.manifest.id, sha256: voices.embeddingModel },
      startSeconds: options.startSeconds,
      numSpeakers,
      dimension,
      geometry,
      minCleanFrames: minFrames,
      clustering: this.clustering(),
      ...(minDurations && { minDurations }),
      ...(await voices.clustering.call((api) => api.take())),
    };
  }
}
