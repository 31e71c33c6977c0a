import { moved } from '../../workers/protocol';
import { spawnClusteringWorker } from '../../workers/spawn';
import type { LinkConstraints } from '../clustering/constraints';
import type { ConfidenceKind } from '../clustering/localSpeakers';
import { type MinDurations, NO_MIN_DURATIONS } from '../timeline/minDurations';
import { cancelled, DISPOSE, onAbort, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { type CentroidInfo, checkVoices, keptOptions, minDurationsOf, nameSpeakers } from './assembly';
import { optionError } from './optionError';
import { checkBounds, checkFiles, checkMinDurations, modelsBase } from './options';
import { type SpeakerCount, speakerCountOf } from './speakerCount';
import type { DiarizeOptions, KeptVoices, Speaker, Turn } from './types';
import { baseAddress } from '../util/host';

interface Waiting {
  readonly start: () => void;
  readonly reject: (reason: VoxlaneError) => void;
}

/**
 * Runs one task at a time for a caller that needs only the latest result: the current task runs to its end, and of the
 * calls made meanwhile only the last one runs. The others reject with `cancelled`.
 */
export class LatestOnly {
  private isBusy = false;
  private waiting: Waiting | null = null;
  private readonly onIdle: (() => void)[] = [];

  /** @param signal aborts this call: it does not start, or its result is dropped */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        start: () => {
          this.isBusy = true;
          void work().then(resolve, reject).finally(() => {
            stopListening();
            this.next();
          });
        },
        reject: (reason) => {
          stopListening();
          reject(reason);
        },
      };
      const stopListening = onAbort(signal, () => {
        if (this.waiting === entry) this.waiting = null;
        reject(cancelled(signal));
      });
      if (signal?.aborted) return;
      if (!this.isBusy) {
        entry.start();
        return;
      }
      this.stop(superseded());
      this.waiting = entry;
    });
  }

  /** Resolves when no task is running. */
  async idle(): Promise<void> {
    while (this.isBusy) {
      await new Promise<void>((resolve) => {
        this.onIdle.push(resolve);
      });
    }
  }

  /** Rejects the waiting call. */
  stop(reason: VoxlaneError): void {
    this.waiting?.reject(reason);
    this.waiting = null;
  }

  private next(): void {
    const { waiting } = this;
    this.isBusy = false;
    this.waiting = null;
    if (waiting) waiting.start();
    else for (const resolve of this.onIdle.splice(0)) resolve();
  }
}

function superseded(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'A newer call replaced this one' });
}

/** Options of a {@link Reclusterer}. */
export interface ReclustererOptions {
  /** Base URL of the models, with `<model id>/manifest.json`, for presets with a PLDA. Default: as for a `Diarizer`. */
  readonly models?: string | URL;
  /** Aborts the creation; ignored afterward. */
  readonly signal?: AbortSignal;
}

/** Options of {@link Reclusterer.cluster}. */
export interface ReclusterOptions extends Pick<DiarizeOptions, 'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff'> {
  /** Must-link and cannot-link constraints; absent or empty for none. */
  readonly constraints?: LinkConstraints;
  /** Aborts this call. A running computation continues, and its result is dropped. */
  readonly signal?: AbortSignal;
}

/** Result of {@link Reclusterer.cluster}, in the form of a `DiarizationResult`. */
export interface Reclustering {
  /** Sorted by start, then end. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /** The turns with at most one speaker at a time. */
  readonly exclusiveTurns: readonly Turn[];
  /**
   * Speakers with a turn. A cluster with the segments of a constraint has the constraint's `speaker` as label; the
   * other clusters have the lowest of `SPEAKER_00`, `SPEAKER_01` … that no constraint uses, regardless of earlier
   * labels.
   */
  readonly speakers: readonly Speaker[];
  /** Number of speakers, with likely alternatives, and the bounds if they were not met. */
  readonly speakerCount: SpeakerCount;
  /** Meaning of the turns' `confidence`; can differ from that of the run. */
  readonly confidenceKind: ConfidenceKind;
  /** Seconds of work in the worker. */
  readonly seconds: number;
}

/**
 * The data needed after the worker has received the rest: keeping all of it would take another 45 MB for three hours.
 */
interface VoiceInfo extends CentroidInfo {
  /** Start of the first window in the recording. */
  readonly startSeconds: number;
  /** Minimum durations of the run. */
  readonly minDurations: MinDurations;
}

/** Windows per message to the worker: 4 MB, which the page's thread copies in a few milliseconds. */
const WINDOWS_AT_ONCE = 1024;

/**
 * Clusters the outputs of the models for a recording again, with another number of speakers or with constraints: in a
 * fraction of a second, without the recording and the models.
 *
 * Uses one worker. Everything that does not depend on the number of speakers is computed there from the start; the
 * first call waits for it. With VBx, the worker also computes the results for other numbers in advance, starting with
 * the nearest, up to ten; a call for a number that is not ready waits for it, a few seconds for three hours. With the
 * same number of speakers and without constraints, the turns equal those of a new run.
 *
 * @example
 * const { voices } = await diarizer.diarize(file, { keepVoices: true });
 * const reclusterer = await Reclusterer.create(voices);
 * const { turns } = await reclusterer.cluster({ speakers: 4 });
 * reclusterer.dispose();
 */
export class Reclusterer {
  private readonly calls = new LatestOnly();

  private constructor(
    private readonly facts: VoiceInfo,
    private readonly worker: ReturnType<typeof spawnClusteringWorker>,
    /** Rejects if the preparation failed. */
    private readonly prepared: Promise<void>,
  ) {
    // Errors are reported by the calls that wait, or are caused by the end of the worker.
    this.anticipate().catch(() => undefined);
  }

  /**
   * Starts the worker and sends it the voices, which remain the caller's and are not kept here.
   *
   * @throws VoxlaneError `options` for malformed voices, `model-*`, `worker-failed`, `cancelled` if `signal` fires
   */
  static async create(keptVoices: KeptVoices, { models, signal }: ReclustererOptions = {}): Promise<Reclusterer> {
    const voices = checkVoices(keptVoices);
    checkFiles({ models }, baseAddress());
    const worker = spawnClusteringWorker();
    const stop = (reason: VoxlaneError): void => {
      worker.terminate(reason);
    };
    try {
      await unlessAborted(signal, async () => {
        const { clustering } = voices;
        if (clustering.method !== 'agglomerative') {
          const base = await modelsBase({ models });
          await worker.call((api) => api.load(clustering.plda, base));
        }
        await worker.call((api) => api.begin());
        await send(voices, worker);
      }, { stop });
    } catch (error) {
      stop(error instanceof VoxlaneError ? error : cancelled());
      throw error;
    }
    const prepared = worker.call((api) => api.prepare(keptOptions(voices), voices.dendrogram));
    const { startSeconds, dimension, embedding, minDurations = NO_MIN_DURATIONS } = voices;
    return new Reclusterer({ startSeconds, dimension, embeddingModel: embedding.sha256, minDurations }, worker, prepared);
  }

  /**
   * Clusters with the given number of speakers. Calls run one at a time; of the calls made meanwhile only the latest
   * one runs, and the others reject with `cancelled`.
   *
   * @throws VoxlaneError `options`, also if the constraints require more speakers than the bounds allow; `cancelled`,
   * `disposed`, `worker-failed`
   */
  async cluster(options: ReclusterOptions = {}): Promise<Reclustering> {
    const bounds = checkBounds(options);
    const minDurations = minDurationsOf(this.facts, checkMinDurations(options));
    const { constraints = [], signal } = options;
    checkConstraints(constraints);
    return this.calls.run(() => this.reassemble(bounds, constraints, minDurations), signal);
  }

  /** Ends the worker and frees its memory. Current calls reject with `disposed`. */
  dispose(): void {
    this.calls.stop(disposedError());
    this.worker.terminate(disposedError());
  }

  /** Calls {@link dispose}, for `using`. */
  [DISPOSE](): void {
    this.dispose();
  }

  /** Uses idle time for the slow part of other numbers of speakers: k-means, if VBx is used. */
  private async anticipate(): Promise<void> {
    await this.prepared;
    for (let isMore = true; isMore; ) {
      await this.calls.idle();
      isMore = await this.worker.call((api) => api.anticipate());
    }
  }

  private async reassemble(bounds: ReturnType<typeof checkBounds>, constraints: LinkConstraints, minDurations: MinDurations): Promise<Reclustering> {
    const { startSeconds } = this.facts;
    await this.prepared;
    const relative = constraints.map(({ speaker, segments }) => ({
      speaker,
      segments: segments.map((segment) => ({
        startSeconds: segment.startSeconds - startSeconds,
        endSeconds: segment.endSeconds - startSeconds,
      })),
    }));
    const assembly = await this.worker.call((api) => api.reassemble(bounds, relative, minDurations));
    const named = nameSpeakers(assembly, startSeconds, this.facts, constraints);
    return {
      ...named,
      speakerCount: speakerCountOf(named.speakers.length, assembly?.counts ?? [], bounds),
      confidenceKind: assembly?.confidenceKind ?? 'margin',
      seconds: assembly?.seconds ?? 0,
    };
  }
}

/** In pieces, because the page's thread copies each of them. */
async function send(voices: KeptVoices, worker: ReturnType<typeof spawnClusteringWorker>): Promise<void> {
  const { activity, embeddings, embedded, strongest } = voices;
  const numWindows = embedded.length;
  for (let from = 0; from < numWindows; from += WINDOWS_AT_ONCE) {
    const part = <Values extends Uint8Array | Float32Array>(values: Values): Values => {
      const cells = values.length / numWindows;
      return values.slice(from * cells, Math.min(numWindows, from + WINDOWS_AT_ONCE) * cells) as Values;
    };
    const parts = { activity: part(activity), embeddings: part(embeddings), embedded: part(embedded), ...(strongest && { strongest: part(strongest) }) };
    const arrays = [parts.activity, parts.embeddings, parts.embedded, ...(parts.strongest ? [parts.strongest] : [])];
    await worker.call((api) => api.append(moved(parts, ...arrays)));
  }
}

/** @throws VoxlaneError `options` */
function checkConstraints(constraints: LinkConstraints): void {
  const seen = new Set<string>();
  for (const { speaker, segments } of constraints) {
    if (seen.has(speaker)) throw optionError('constraints', `two entries for ${speaker}`, 'one entry for each speaker');
    seen.add(speaker);
    for (const { startSeconds, endSeconds } of segments) {
      if (Number.isFinite(startSeconds) && Number.isFinite(endSeconds) && startSeconds <= endSeconds) continue;
      throw optionError('constraints', `a segment of ${speaker} from ${startSeconds} to ${endSeconds} s`, 'finite segments that do not end before they start');
    }
  }
}

function disposedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The reclusterer was disposed',
    expected: 'a reclusterer that is not disposed',
    remedy: 'Create a new one with Reclusterer.create()',
  });
}
