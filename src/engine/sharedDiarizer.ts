import { onAbort, throwIfAborted, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { Diarizer } from './diarizer';
import {
  askForTheSame,
  checkDiarizerNames,
  checkDiarizerOptions,
  checkRunNames,
  checkRunOptions,
  type OwnDiarizerOptions,
  splitOptions,
} from './options';
import { type DiarizationSource, dropSource, endingOnFailure } from './source';
import type { DiarizationResult, DiarizeOptions, DiarizerOptions, ModelDownload } from './types';

/** A share in a diarizer that everybody on the page who asks for the same options has. */
export interface DiarizerShare {
  /**
   * As `Diarizer.diarize`, which see. The first call of all shares starts the workers; runs of all shares take turns.
   *
   * @throws VoxlaneError what `Diarizer.create` and `Diarizer.diarize` throw; `disposed` once the share was given back
   */
  diarize(source: DiarizationSource, options?: DiarizeOptions): Promise<DiarizationResult>;
  /** Gives the share back; its runs reject with `disposed`. With the last one the workers end at once. May be called again. */
  release(): void;
}

/** What of a diarizer is shared. */
export type SharedDiarizer = Pick<Diarizer, 'diarize' | 'dispose'>;

type Create = (options: DiarizerOptions & { readonly signal: AbortSignal }) => Promise<SharedDiarizer>;

/** A diarizer that starts, or has started. */
interface Start {
  readonly diarizer: Promise<SharedDiarizer>;
  readonly controller: AbortController;
  /** Calls that wait for it. */
  waiting: number;
  isOver: boolean;
}

/** The diarizers of a page, each with those who share it. */
export class DiarizerShares {
  private readonly shared: Shared[] = [];

  constructor(private readonly create: Create) {}

  /**
   * Starts nothing.
   *
   * @param checked `options`, checked: who has the same shares a diarizer. Who hears of downloads makes no difference.
   */
  share(options: DiarizerOptions, checked: OwnDiarizerOptions): DiarizerShare {
    const found = this.shared.find((each) => askForTheSame(each.checked, checked));
    const shared = found ?? new Shared(this.create, options, checked);
    if (!found) this.shared.push(shared);
    return shared.join(options.onDownload, () => {
      this.shared.splice(this.shared.indexOf(shared), 1);
    });
  }
}

/** One diarizer and those who share it. */
class Shared {
  private holders = 0;
  private start: Start | null = null;
  /** One for each share with a run under way that wants to hear of downloads. */
  private readonly listeners = new Set<(progress: ModelDownload) => void>();

  constructor(
    private readonly create: Create,
    private readonly options: DiarizerOptions,
    readonly checked: OwnDiarizerOptions,
  ) {}

  /** @param onLast hears when nobody has a share any more */
  join(onDownload: DiarizerOptions['onDownload'], onLast: () => void): DiarizerShare {
    const runs = new Set<AbortController>();
    const released = new AbortController();
    // A function of its own, because two shares may have the same listener.
    const listener = onDownload && ((progress: ModelDownload) => { onDownload(progress); });
    this.holders++;
    return {
      diarize: async (source, options = {}) => {
        endingOnFailure(source, () => {
          if (released.signal.aborted) throw releasedError();
          checkRunNames(options);
          checkRunOptions(options);
        });
        const run = new AbortController();
        runs.add(run);
        if (listener) this.listeners.add(listener);
        try {
          return await this.run(source, options, run);
        } catch (error) {
          // Not of the caller's signal: the run ended because the share was given back.
          throw run.signal.reason === released ? releasedError() : error;
        } finally {
          runs.delete(run);
          if (listener && runs.size === 0) this.listeners.delete(listener);
        }
      },
      release: () => {
        if (released.signal.aborted) return;
        released.abort();
        for (const run of runs) run.abort(released);
        if (--this.holders > 0) return;
        onLast();
        this.end();
      },
    };
  }

  private async run(source: DiarizationSource, options: DiarizeOptions, run: AbortController): Promise<DiarizationResult> {
    const { signal } = options;
    const stopListening = onAbort(signal, () => {
      run.abort(signal?.reason);
    });
    try {
      const diarizer = await this.obtain(run.signal).catch((error: unknown) => {
        dropSource(source);
        throw error;
      });
      return await diarizer.diarize(source, { ...options, signal: run.signal });
    } finally {
      stopListening();
    }
  }

  /** The diarizer, which is started for the first who wants it; nobody's signal stops it while others wait. */
  private async obtain(signal: AbortSignal): Promise<SharedDiarizer> {
    throwIfAborted(signal);
    const start = (this.start ??= this.begin());
    start.waiting++;
    try {
      return await unlessAborted(signal, () => start.diarizer);
    } finally {
      start.waiting--;
      if (start.waiting === 0 && !start.isOver) this.forget(start);
    }
  }

  private begin(): Start {
    const controller = new AbortController();
    const onDownload = (progress: ModelDownload): void => {
      for (const listener of this.listeners) listener(progress);
    };
    const diarizer = this.create({ ...this.options, onDownload, signal: controller.signal });
    const start: Start = { diarizer, controller, waiting: 0, isOver: false };
    diarizer.then(
      (created) => {
        start.isOver = true;
        // Too late to be stopped, and nobody waits for it.
        if (controller.signal.aborted) created.dispose();
      },
      () => {
        // The next call tries again.
        this.forget(start);
      },
    );
    return start;
  }

  private forget(start: Start): void {
    if (this.start === start) this.start = null;
    start.isOver = true;
    start.controller.abort();
  }

  private end(): void {
    const { start } = this;
    if (!start) return;
    const isRunning = start.isOver;
    this.forget(start);
    if (isRunning) void start.diarizer.then((diarizer) => { diarizer.dispose(); });
  }
}

function releasedError(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The share of the diarizer was given back',
    expected: 'a share that is still held',
    remedy: 'Ask for another with shareDiarizer()',
  });
}

let shares: DiarizerShares | undefined;

/**
 * A share in the page's diarizer of these options: all who ask for the same have one set of workers, and their runs take
 * turns. Starts nothing until the first `diarize`. Every share's `onDownload` is called while a run of its own goes on.
 *
 * @throws VoxlaneError `options`
 * @example
 * const share = shareDiarizer();
 * const { turns } = await share.diarize(file);
 * share.release();
 */
export function shareDiarizer(options: DiarizerOptions = {}): DiarizerShare {
  checkDiarizerNames(options);
  const checked = checkDiarizerOptions(options, document.baseURI);
  shares ??= new DiarizerShares((own) => Diarizer.create(own));
  return shares.share(options, checked);
}

/**
 * Finds who spoke when, on this machine, in one call.
 *
 * Calls with the same options share a diarizer, take turns, and load the models once. `idleSeconds` after the last call,
 * 60 unless an option says otherwise, the workers are ended; nothing needs to be disposed of.
 *
 * @param options those of a diarizer and those of a run
 * @throws VoxlaneError what `Diarizer.create` and `Diarizer.diarize` throw
 * @example
 * const { turns } = await diarize(file, { speakers: 2 });
 */
export async function diarize(
  source: DiarizationSource,
  options: DiarizerOptions & DiarizeOptions = {},
): Promise<DiarizationResult> {
  const { diarizer, run, share } = endingOnFailure(source, () => {
    const split = splitOptions(options);
    return { ...split, share: shareDiarizer(split.diarizer) };
  });
  try {
    return await share.diarize(source, run);
  } finally {
    const { idleSeconds } = checkDiarizerOptions(diarizer, document.baseURI);
    // Somebody else's share keeps the workers, and the next call finds them.
    if (idleSeconds !== Infinity) {
      setTimeout(() => {
        share.release();
      }, idleSeconds * 1000);
    }
  }
}
