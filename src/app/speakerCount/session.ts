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

/** How many speakers are asked for. */
export type CountChoice = number | 'auto';

/** What is asked of the kept voices. */
export interface CountRequest {
  readonly choice: CountChoice;
  /** Shortest turns and gaps. */
  readonly minDurations: MinDurations;
  /** Whether corrected turns stay with their speakers. */
  readonly isKeepingCorrections: boolean;
}

/** A result with another number of speakers, to look at. */
export interface Proposal {
  readonly request: CountRequest;
  readonly annotation: Annotation;
  readonly changes: Changes;
  /** The speakers that say very little in it. */
  readonly brief: readonly SpeakerShare[];
  /** How many speakers there are, with other likely numbers. */
  readonly speakerCount: SpeakerCount;
  /** Of the worker. */
  readonly seconds: number;
}

export interface CountState {
  /** What was asked last; null where nothing is, or where it was accepted or taken back. */
  readonly request: CountRequest | null;
  /** Preparing: the first step has to read the voices and link them. */
  readonly work: 'none' | 'preparing' | 'clustering';
  /** The newest answer; of an earlier request while there is work. */
  readonly proposal: Proposal | null;
  readonly failure: Failure | null;
}

/** The part of a {@link Reclusterer} that is used. */
export type Clusterer = Pick<Reclusterer, 'cluster' | 'dispose'>;

const IDLE: CountState = { request: null, work: 'none', proposal: null, failure: null };

/**
 * Asks the kept voices for other numbers of speakers. One call runs at a time; of those that are asked for in the
 * meantime only the last is run, so that a slider never waits for where it has been.
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

  /** @param open starts the worker that clusters; called when it is first needed, and again after it failed */
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

  /** Starts the worker before it is asked. A failure is kept for the question that needs it. */
  warm(): void {
    this.#opened().catch(() => undefined);
  }

  choose(request: CountRequest): void {
    if (this.#isDisposed) return;
    this.#set({ ...this.#state, request, failure: null, work: this.#isReady ? 'clustering' : 'preparing' });
    void this.#run();
  }

  /** Makes the proposal the result, which can be undone; true where it was. */
  accept(): boolean {
    const { proposal, work } = this.#state;
    if (!proposal || work !== 'none') return false;
    if (!this.#editor.edit({ type: 'replace', annotation: proposal.annotation })) return false;
    this.takeBack();
    return true;
  }

  /** Back to the result as it is. */
  takeBack(): void {
    if (this.#state === IDLE) return;
    this.#set(IDLE);
    if (this.#editor.get().proposal) this.#editor.propose(null);
  }

  /** Ends the worker. */
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
      // What was asked since is more to the point.
      if (!this.#isWanted(request)) return;
      const proposal = proposalOf(this.#editor.get().annotation, request, found, new Set(constraints.map(({ speaker }) => speaker)));
      this.#set({ request, work: 'none', proposal, failure: null });
      this.#editor.propose(proposal.annotation);
    } catch (thrown) {
      const failure = failureOf(thrown);
      // A wish that cannot be met says nothing about the worker; after anything else, the next question starts another.
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
        // The next question tries anew.
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
  // It can be another kind than the run's.
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

/** Where the panel gets what it clusters, or why there is nothing to cluster. */
export type CountSource =
  | { readonly open: () => Promise<Clusterer> }
  /** Imported: turns of a file, without voices. Dropped: the browser had no room for them, or lost them. */
  | { readonly absence: 'imported' | 'dropped' };

/**
 * The kept voices of a result, clustered in a worker of their own.
 *
 * @param load gives the voices; asked when the panel is first shown, so that stored ones are read only then. The code that
 *   clusters is fetched then too
 */
export function keptVoicesSource(load: () => Promise<KeptVoices>): CountSource {
  return {
    async open() {
      const [voices, { Reclusterer }] = await Promise.all([load(), loadPart(() => import('../../engine/reclusterer'))]);
      return Reclusterer.create(voices);
    },
  };
}
