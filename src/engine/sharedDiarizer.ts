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
import { backgroundTimer, baseAddress } from '../util/host';

/** A ref-counted handle to a diarizer shared by all callers with equal options. */
export interface DiarizerShare {
  /**
   * Like `Diarizer.diarize`. The first call of any handle starts the workers; the runs of all handles take turns.
   *
   * @throws VoxlaneError the errors of `Diarizer.create` and `Diarizer.diarize`; `disposed` after the handle was
   * released
   */
  diarize(source: DiarizationSource, options?: DiarizeOptions): Promise<DiarizationResult>;
  /** Releases the handle; its runs reject with `disposed`. The last release ends the workers at once. Idempotent. */
  release(): void;
}

/** The shared part of a diarizer. */
export type SharedDiarizer = Pick<Diarizer, 'diarize' | 'dispose'>;

type Create = (options: DiarizerOptions & { readonly signal: AbortSignal }) => Promise<SharedDiarizer>;

/** A diarizer that is starting or has started. */
interface Start {
  readonly diarizer: Promise<SharedDiarizer>;
  readonly controller: AbortController;
  /** Number of waiting calls. */
  waiting: number;
  isOver: boolean;
}

/** The diarizers of a page with their handles. */
export class DiarizerShares {
  private readonly shared: Shared[] = [];

  constructor(private readonly create: Create) {}

  /**
   * Returns a handle without starting anything.
   *
   * @param checked the validated `options`; handles with equal options share a diarizer, regardless of `onDownload`
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

/** One diarizer with its handles. */
class Shared {
  private holders = 0;
  private start: Start | null = null;
  /** One for each handle with a current run and an `onDownload` callback. */
  private readonly listeners = new Set<(progress: ModelDownload) => void>();

  constructor(
    private readonly create: Create,
    private readonly options: DiarizerOptions,
    readonly checked: OwnDiarizerOptions,
  ) {}

  /** @param onLast called when the last handle is released */
  join(onDownload: DiarizerOptions['onDownload'], onLast: () => void): DiarizerShare {
    const runs = new Set<AbortController>();
    const released = new AbortController();
    // A new function, because two handles may have the same callback.
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
          // Not by the caller's signal: the run ended because the handle was released.
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

  /** Starts the diarizer for the first caller; a caller's signal stops the start only if no other caller waits. */
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
        // Too late to stop the start, and no caller waits for it.
        if (controller.signal.aborted) created.dispose();
      },
      () => {
        // The next call starts again.
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
    problem: 'The handle of the shared diarizer was released',
    expected: 'a handle that is not released',
    remedy: 'Get another one with shareDiarizer()',
  });
}

let shares: DiarizerShares | undefined;

/**
 * Returns a handle to the page's diarizer for these options. Callers with equal options share one set of workers, and
 * their runs take turns. Nothing starts before the first `diarize`. The `onDownload` of a handle is called during its
 * own runs.
 *
 * @throws VoxlaneError `options`
 * @example
 * const share = shareDiarizer();
 * const { turns } = await share.diarize(file);
 * share.release();
 */
export function shareDiarizer(options: DiarizerOptions = {}): DiarizerShare {
  checkDiarizerNames(options);
  const checked = checkDiarizerOptions(options, baseAddress());
  shares ??= new DiarizerShares((own) => Diarizer.create(own));
  return shares.share(options, checked);
}

/**
 * Diarizes a recording on this machine in one call.
 *
 * Calls with equal options share a diarizer, take turns, and load the models once. The workers end `idleSeconds` after
 * the last call, by default 60; nothing needs to be disposed.
 *
 * @param options options of a diarizer and of a run
 * @throws VoxlaneError the errors of `Diarizer.create` and `Diarizer.diarize`
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
    const { idleSeconds } = checkDiarizerOptions(diarizer, baseAddress());
    // The handle keeps the workers for the next call.
    if (idleSeconds !== Infinity) {
      backgroundTimer(() => {
        share.release();
      }, idleSeconds * 1000);
    }
  }
}
