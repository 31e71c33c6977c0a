import type { Annotation } from '../../editing/annotation';
import { annotationOf } from '../../editing/annotationOf';
import { briefSpeakers, linkConstraintsOf, type SpeakerShare, speakerShares } from '../../editing/review';
import type { Reclusterer, Reclustering, ReclusterOptions } from '../../engine/reclusterer';
import type { SpeakerCount } from '../../engine/speakerCount';
import type { KeptVoices } from '../../engine/types';
import type { MinDurations } from '../../timeline/minDurations';
import { type Failure, failureOf } from '../../ui-kit/failure';
import { loadPart } from '../../util/fetch';
import type { Editor } from '../editor/editor';
import { carryOver, type Changes, changesBetween } from './changes';

/** The requested number of speakers. */
export type CountChoice = number | 'auto';

/** A request for re-clustering. */
interface CountRequest {
  readonly choice: CountChoice;
  /** Minimum durations of turns and gaps. */
  readonly minDurations: MinDurations;
  /** Whether corrected turns stay with their speakers. */
  readonly isKeepingCorrections: boolean;
}

/** A preview of the result with another number of speakers. */
export interface Proposal {
  readonly request: CountRequest;
  readonly annotation: Annotation;
  readonly changes: Changes;
  /** Speakers with very little speech in it. */
  readonly brief: readonly SpeakerShare[];
  /** The number of speakers, with likely alternatives. */
  readonly speakerCount: SpeakerCount;
  /** Computation time of the worker. */
  readonly seconds: number;
}

export interface CountState {
  /** The last request; null if there is none, or it was accepted or discarded. */
  readonly request: CountRequest | null;
  /** Preparing: the first request has to read the voice data and compute the linkage. */
  readonly work: 'none' | 'preparing' | 'clustering';
  /** The latest proposal. While work is in progress, it belongs to an earlier request. */
  readonly proposal: Proposal | null;
  readonly failure: Failure | null;
}

/** The used part of a {@link Reclusterer}. */
export type Clusterer = Pick<Reclusterer, 'cluster' | 'dispose'>;

const IDLE: CountState = { request: null, work: 'none', proposal: null, failure: null };

/**
 * Re-clusters the saved voice data. One request runs at a time; of those made in the meantime, only the last one runs,
 * so a slider never waits for earlier positions.
 */
export class CountSession {
  readonly #editor: Pick<Editor, 'get' | 'edit' | 'propose'>;
  readonly #open: () => Promise<Clusterer>;
  readonly #onChange: (state: CountState) => void;
  #state = IDLE;
  #clusterer: Promise<Clusterer> | null = null;
  #isReady = false;
  #isRunning = false;
  #isDisposed = false;

  /** @param open starts the clustering worker; called on first use and again after a failure */
  constructor(
    editor: Pick<Editor, 'get' | 'edit' | 'propose'>,
    open: () => Promise<Clusterer>,
    onChange: (state: CountState) => void,
  ) {
    this.#editor = editor;
    this.#open = open;
    this.#onChange = onChange;
  }

  get state(): CountState {
    return this.#state;
  }

  /** Starts the worker ahead of the first request. A failure is kept for the request that needs it. */
  warm(): void {
    this.#opened().catch(() => undefined);
  }

  choose(request: CountRequest): void {
    if (this.#isDisposed) return;
    this.#set({ ...this.#state, request, failure: null, work: this.#isReady ? 'clustering' : 'preparing' });
    void this.#run();
  }

  /** Accepts the proposal as the result, with undo. Returns whether there was one. */
  accept(): boolean {
    const { proposal, work } = this.#state;
    if (!proposal || work !== 'none') return false;
    if (!this.#editor.edit({ type: 'replace', annotation: proposal.annotation })) return false;
    this.takeBack();
    return true;
  }

  /** Discards the proposal. */
  takeBack(): void {
    if (this.#state === IDLE) return;
    this.#set(IDLE);
    if (this.#editor.get().proposal) this.#editor.propose(null);
  }

  /** Terminates the worker. */
  dispose(): void {
    this.#isDisposed = true;
    this.#close();
  }

  #close(): void {
    this.#clusterer?.then(
      (clusterer) => {
        clusterer.dispose();
      },
      () => undefined,
    );
    this.#clusterer = null;
    this.#isReady = false;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#state.request && this.#state.work !== 'none' && !this.#isDisposed) await this.#step(this.#state.request);
    this.#isRunning = false;
  }

  async #step(request: CountRequest): Promise<void> {
    try {
      const clusterer = await this.#opened();
      if (!this.#isWanted(request)) return;
      this.#set({ ...this.#state, work: 'clustering' });
      const constraints = request.isKeepingCorrections ? linkConstraintsOf(this.#editor.get().annotation) : [];
      const options: ReclusterOptions = {
        ...(request.choice !== 'auto' && { speakers: request.choice }),
        ...request.minDurations,
        ...(constraints.length > 0 && { constraints }),
      };
      const found = await clusterer.cluster(options);
      // A newer request supersedes this one.
      if (!this.#isWanted(request)) return;
      const proposal = proposalOf(this.#editor.get().annotation, request, found, new Set(constraints.map(({ speaker }) => speaker)));
      this.#set({ request, work: 'none', proposal, failure: null });
      this.#editor.propose(proposal.annotation);
    } catch (thrown) {
      const failure = failureOf(thrown);
      // An unsatisfiable request does not affect the worker. After any other failure, the next request starts a new
      // one.
      if (failure.code !== 'options') this.#close();
      if (!this.#isWanted(request)) return;
      this.#set({ ...this.#state, work: 'none', proposal: null, failure });
      this.#editor.propose(null);
    }
  }

  #isWanted(request: CountRequest): boolean {
    return this.#state.request === request && !this.#isDisposed;
  }

  #opened(): Promise<Clusterer> {
    if (this.#clusterer) return this.#clusterer;
    const opening = this.#open();
    this.#clusterer = opening;
    opening.then(
      () => {
        if (this.#clusterer === opening) this.#isReady = true;
      },
      () => {
        // The next request retries.
        if (this.#clusterer === opening) this.#clusterer = null;
      },
    );
    return opening;
  }

  #set(state: CountState): void {
    this.#state = state;
    if (!this.#isDisposed) this.#onChange(state);
  }
}

function proposalOf(before: Annotation, request: CountRequest, found: Reclustering, certain: ReadonlySet<string>): Proposal {
  const { turns, exclusiveTurns, speakers, speakerCount, confidenceKind, seconds } = found;
  const carried = carryOver(before, annotationOf(turns, exclusiveTurns, speakers, before.durationSeconds), certain);
  // The kind can differ from that of the run.
  const annotation = { ...carried, confidenceKind, minDurations: request.minDurations };
  const brief = new Set(briefSpeakers(annotation));
  return {
    request,
    annotation,
    changes: changesBetween(before, annotation),
    brief: speakerShares(annotation).filter(({ speaker }) => brief.has(speaker)),
    speakerCount,
    seconds,
  };
}

/** The source of the voice data, or why there is none. */
export type CountSource =
  | { readonly open: () => Promise<Clusterer> }
  /** Imported: turns of a file, without voice data. Dropped: the browser had no room for it or lost it. */
  | { readonly absence: 'imported' | 'dropped' };

/**
 * The saved voice data of a result, clustered in a separate worker.
 *
 * @param load returns the voice data; called when the panel is first shown, to read it only then. The clustering code is also
 *   loaded then
 */
export function keptVoicesSource(load: () => Promise<KeptVoices>): CountSource {
  return {
    async open() {
      const [voices, { Reclusterer }] = await Promise.all([load(), loadPart(() => import('../../engine/reclusterer'))]);
      return Reclusterer.create(voices);
    },
  };
}
