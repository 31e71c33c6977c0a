import { moved } from '../../workers/protocol';
import { spawnClusteringWorker } from '../../workers/spawn';
import type { LinkConstraints } from '../clustering/constraints';
import type { ConfidenceKind } from '../clustering/localSpeakers';
import { type MinDurations, NO_MIN_DURATIONS } from '../timeline/minDurations';
import { cancelled, onAbort, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { type CentroidInfo, checkVoices, keptOptions, minDurationsOf, nameSpeakers } from './assembly';
import { DISPOSE } from './calls';
import { checkBounds, checkFiles, checkMinDurations, modelsBase, optionError } from './options';
import { type SpeakerCount, speakerCountOf } from './speakerCount';
import type { DiarizeOptions, KeptVoices, Speaker, Turn } from './types';

interface Waiting {
  readonly start: () => void;
  readonly reject: (reason: VoxlaneError) => void;
}

/**
 * One piece of work at a time, for a caller who wants the latest only: work that is under way ends, and of what is asked
 * for meanwhile, only the last is done. The others reject with `cancelled`.
 */
export class LatestOnly {
  private isBusy = false;
  private waiting: Waiting | null = null;
  private readonly onIdle: (() => void)[] = [];

  /** @param signal takes this piece back: it is not begun, or ends unheard */
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

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.isBusy) {
      await new Promise<void>((resolve) => {
        this.onIdle.push(resolve);
      });
    }
  }

  /** Rejects what has not been begun. */
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
  return new VoxlaneError({ code: 'cancelled', problem: 'A newer call took the place of this one' });
}

/** Where a {@link Reclusterer} finds what it needs. */
export interface ReclustererOptions {
  /** Address under which `<model id>/manifest.json` is found, for the preset that wants a PLDA. Default: as a `Diarizer` finds it. */
  readonly models?: string | URL;
  /** Takes the creation back; has no effect after it. */
  readonly signal?: AbortSignal;
}

/** What one call of {@link Reclusterer.cluster} is asked for. */
export interface ReclusterOptions extends Pick<DiarizeOptions, 'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff'> {
  /** What a person has said for certain; absent or empty for nothing. */
  readonly constraints?: LinkConstraints;
  /** Takes this call back. What is being computed is computed to its end, unheard. */
  readonly signal?: AbortSignal;
}

/** What {@link Reclusterer.cluster} gives, in the form of a `DiarizationResult`. */
export interface Reclustering {
  /** Sorted by start, then end. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /** The same with one speaker at a time at most. */
  readonly exclusiveTurns: readonly Turn[];
  /**
   * Those with a turn. Whose cluster holds an constraint's segments has the constraint's `speaker` as label; the others have the
   * lowest of `SPEAKER_00`, `SPEAKER_01` … that no constraint has, whoever had them before.
   */
  readonly speakers: readonly Speaker[];
  /** How many there are, with other likely numbers, and whether the bounds were met. */
  readonly speakerCount: SpeakerCount;
  /** What the turns' `confidence` is; it can be another kind than that of the run. */
  readonly confidenceKind: ConfidenceKind;
  /** Seconds of work in the worker. */
  readonly seconds: number;
}

/** What is needed of the voices once the worker has them: to hold all would take 45 MB of three hours twice. */
interface VoiceInfo extends CentroidInfo {
  /** Where the first window starts in the recording. */
  readonly startSeconds: number;
  /** Shortest turns and gaps of the run. */
  readonly minDurations: MinDurations;
}

/** Windows that are sent to the worker at a time: 4 MB, which the page's thread copies in a few milliseconds. */
const WINDOWS_AT_ONCE = 1024;

/**
 * Clusters what the models heard of a recording again, with another number of speakers or with what a person has said
 * for certain: in a fraction of a second, without the recording and without the models.
 *
 * Has one worker of its own. What does not depend on the number of speakers is computed there from the start on; the first
 * call waits for it. With VBx, other numbers are computed before they are asked for, from the nearest on to ten; a call for
 * one that is not there yet waits for it, seconds for three hours. For the same number of speakers, and without constraints, the turns are those of a fresh run.
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
    /** Rejects where the voices could not be prepared. */
    private readonly prepared: Promise<void>,
  ) {
    // What goes wrong is heard by the calls that wait for it, or was the end of the worker.
    this.anticipate().catch(() => undefined);
  }

  /**
   * Starts the worker and gives it the voices, which stay the caller's and are not kept here.
   *
   * @throws VoxlaneError `options` for voices of another form, `model-*`, `worker-failed`, `cancelled` when `signal` fires
   */
  static async create(keptVoices: KeptVoices, { models, signal }: ReclustererOptions = {}): Promise<Reclusterer> {
    const voices = checkVoices(keptVoices);
    checkFiles({ models }, document.baseURI);
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
   * Who spoke when, with so many speakers. One call is computed at a time, to its end; of those that come meanwhile only
   * the latest is computed, and the others reject with `cancelled`.
   *
   * @throws VoxlaneError `options`, also where the constraints tell more speakers apart than there may be; `cancelled`,
   * `disposed`, `worker-failed`
   */
  async cluster(options: ReclusterOptions = {}): Promise<Reclustering> {
    const bounds = checkBounds(options);
    const minDurations = minDurationsOf(this.facts, checkMinDurations(options));
    const { constraints = [], signal } = options;
    checkConstraints(constraints);
    return this.calls.run(() => this.reassemble(bounds, constraints, minDurations), signal);
  }

  /** Ends the worker and frees its memory. Calls under way reject with `disposed`. */
  dispose(): void {
    this.calls.stop(disposedError());
    this.worker.terminate(disposedError());
  }

  /** {@link dispose}, by the name that `using` knows. */
  [DISPOSE](): void {
    this.dispose();
  }

  /** While nobody asks, the worker does what other numbers of speakers take long for: k-means, where VBx is used. */
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

/** Piece by piece, because the page's thread copies each. */
async function send(voices: KeptVoices, worker: ReturnType<typeof spawnClusteringWorker>): Promise<void> {
  const { activity, embeddings, embedded } = voices;
  const numWindows = embedded.length;
  for (let from = 0; from < numWindows; from += WINDOWS_AT_ONCE) {
    const part = <Values extends Uint8Array | Float32Array>(values: Values): Values => {
      const cells = values.length / numWindows;
      return values.slice(from * cells, Math.min(numWindows, from + WINDOWS_AT_ONCE) * cells) as Values;
    };
    const parts = { activity: part(activity), embeddings: part(embeddings), embedded: part(embedded) };
    await worker.call((api) => api.append(moved(parts, parts.activity, parts.embeddings, parts.embedded)));
  }
}

/** @throws VoxlaneError `options` */
function checkConstraints(constraints: LinkConstraints): void {
  const seen = new Set<string>();
  for (const { speaker, segments } of constraints) {
    if (seen.has(speaker)) throw optionError('constraints', `two entries of ${speaker}`, 'one entry for each speaker');
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
    expected: 'a reclusterer that is still in use',
    remedy: 'Make a new one with Reclusterer.create()',
  });
}
