import type { Peaks } from '../../audio/peaks';
import { History } from '../../editing/history';
import type { KeptVoices } from '../../pipeline/keptVoices';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { Scope } from '../../util/scope';
import { RecentWork, type Kept } from '../keep/recentWork';
import type { Action, Outcome, State } from '../state';
import type { Store } from '../store';
import type { StudioMemory } from '../studio/store';
import { studioText } from '../studio/text';
import { workText } from './text';
import type { Work } from './work';

/** Corrections are written down so long after the last one, so that a drag or a word typed costs one write. */
const SAVE_AFTER_MS = 400;
/** The result that is open, in the page's address: a reload opens it again. */
const HASH = '#work=';

/** What is known of the result that is open, besides its corrections. */
interface OpenWork {
  readonly memory: StudioMemory;
  peaks: Peaks | null;
  /** Whether its voices are in the browser's store. */
  hasVoices: boolean;
}

/** The results of this page and of earlier ones: what is open, what is kept, and what comes back. */
export class Desk implements Work {
  readonly #store: Store<State, Action>;
  readonly #recent: RecentWork;
  /** Hears whether all that was done is written down. */
  readonly #onKept: (isKept: boolean) => void;
  readonly #open = new Map<string, OpenWork>();
  readonly #pending = new Map<string, ReturnType<typeof setTimeout>>();
  #aside: readonly File[] = [];
  /** Writes one after another: what is kept of a result has to be there before its corrections. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(scope: Scope, store: Store<State, Action>, onKept: (isKept: boolean) => void, recent = new RecentWork()) {
    this.#store = store;
    this.#onKept = onKept;
    this.#recent = recent;
    // The last moment in which a page may still write.
    scope.on(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.#flush();
    });
    scope.on(window, 'pagehide', () => {
      this.#flush();
    });
    scope.on(window, 'hashchange', () => {
      const id = idInAddress();
      const { phase } = store.get();
      if (id && !(phase.kind === 'done' && phase.outcome.id === id)) void this.open(id);
    });
    scope.add(() => {
      this.#flush();
    });
  }

  /** Opens what the address names, and lists the rest. */
  async start(): Promise<void> {
    const id = idInAddress();
    if (id) await this.open(id);
    await this.#list();
  }

  /** Keeps each new result, and has the address name the one that is open. */
  follow(next: State, previous: State): void {
    const open = next.phase.kind === 'done' ? next.phase.outcome : null;
    const before = previous.phase.kind === 'done' ? previous.phase.outcome : null;
    if (open === before) return;
    history.replaceState(null, '', open ? `${HASH}${open.id}` : location.pathname + location.search);
    if (!open) {
      void this.#list();
      return;
    }
    if (!this.#open.has(open.id)) {
      this.memoryOf(open);
      this.#keep(open);
    } else if (open.blob && before?.id === open.id && !before.blob) this.#keepSound(open);
  }

  memoryOf(outcome: Outcome): StudioMemory {
    let open = this.#open.get(outcome.id);
    if (!open) {
      open = { memory: { history: new History(outcome.annotation), transcript: null }, peaks: null, hasVoices: false };
      this.#open.set(outcome.id, open);
    }
    return open.memory;
  }

  changed({ id }: Outcome): void {
    this.#onKept(false);
    clearTimeout(this.#pending.get(id));
    this.#pending.set(
      id,
      setTimeout(() => {
        this.#save(id);
      }, SAVE_AFTER_MS),
    );
  }

  peaksOf({ id }: Outcome): Peaks | null {
    return this.#open.get(id)?.peaks ?? null;
  }

  keepPeaks({ id }: Outcome, peaks: Peaks): void {
    const open = this.#open.get(id);
    if (open) open.peaks = peaks;
    this.#write(() => this.#recent.savePeaks(id, peaks));
  }

  voicesOf({ id, result }: Outcome): (() => Promise<KeptVoices>) | null {
    const voices = result?.voices;
    if (voices) return () => Promise.resolve(voices);
    if (!this.#open.get(id)?.hasVoices) return null;
    return async () => {
      const kept = await this.#recent.voices(id);
      if (kept) return kept as KeptVoices;
      throw new VoxlaneError({ code: 'storage', problem: workText.gone });
    };
  }

  /** Files that came together with a recording, for its result. */
  setAside(files: readonly File[]): void {
    this.#aside = files;
  }

  takeAside(): readonly File[] {
    if (this.#store.get().phase.kind !== 'done') return [];
    const files = this.#aside;
    this.#aside = [];
    return files;
  }

  async open(id: string): Promise<void> {
    try {
      const kept = await this.#recent.open(id);
      if (!kept) {
        this.#lose(workText.gone);
        return;
      }
      const { outcome, history, transcript, recording, peaks, hasVoices } = kept;
      // What was open here before is newer than what was written.
      if (!this.#open.has(id)) this.#open.set(id, { memory: { history, transcript }, peaks, hasVoices });
      this.#store.dispatch({ type: 'opened', outcome: { ...outcome, blob: recording } });
      this.#onKept(true);
    } catch (thrown) {
      this.#lose(workText.failed(messageOf(thrown)));
    }
  }

  async delete(id: string): Promise<void> {
    try {
      await this.#recent.delete(id);
      this.#open.delete(id);
    } catch (thrown) {
      this.#say(workText.failed(messageOf(thrown)));
    }
    await this.#list();
  }

  #lose(why: string): void {
    history.replaceState(null, '', location.pathname + location.search);
    this.#say(why);
  }

  #say(said: string): void {
    this.#store.dispatch({ type: 'noticed', notice: { said } });
  }

  async #list(): Promise<void> {
    await this.#writing;
    this.#store.dispatch({ type: 'kept-listed', kept: await this.#recent.list() });
  }

  /** All of a new result: first what cannot be done without. */
  #keep(outcome: Outcome): void {
    const { id, result } = outcome;
    const { history } = this.memoryOf(outcome);
    this.#write(async () => {
      const kept = await this.#recent.saveOutcome(outcome, history.toPlain());
      // Told once, and not of each of its parts again.
      if (!kept.isKept) this.#say(studioText.notKept);
      return kept;
    });
    const voices = result?.voices;
    if (voices) this.#write(() => this.#recent.saveVoices(id, voices));
    this.#keepSound(outcome);
  }

  #keepSound({ id, blob }: Outcome): void {
    if (!blob) return;
    this.#write(async () => {
      const kept = await this.#recent.saveRecording(id, blob);
      if (!kept.isKept && (kept.reason === 'full' || kept.reason === 'too-large')) this.#say(studioText.keptWithoutSound);
      return kept;
    });
  }

  #save(id: string): void {
    this.#pending.delete(id);
    const open = this.#open.get(id);
    if (!open) return;
    const { history, transcript } = open.memory;
    this.#write(() => this.#recent.saveHistory(id, history.toPlain()));
    this.#write(() => this.#recent.saveTranscript(id, transcript));
  }

  #flush(): void {
    for (const [id, timer] of this.#pending) {
      clearTimeout(timer);
      this.#save(id);
    }
  }

  #write(save: () => Promise<Kept>): void {
    this.#onKept(false);
    const written = this.#writing.then(save);
    this.#writing = written;
    void written.then(() => {
      if (this.#writing === written && this.#pending.size === 0) this.#onKept(true);
    });
  }
}

function idInAddress(): string | null {
  return location.hash.startsWith(HASH) ? location.hash.slice(HASH.length) : null;
}
