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
  readonly outcome: Outcome;
  memory: StudioMemory;
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
  /** Results whose companions were taken. */
  readonly #taken = new WeakSet<Outcome>();
  /** Results that could not be kept: told once of each. */
  readonly #lost = new Set<string>();
  /** What corrections wait for: a result has to be there before they are. Not its sound, which can take long. */
  #writing: Promise<unknown> = Promise.resolve();
  #writingSound: Promise<unknown> = Promise.resolve();
  /** Writes that are not done. */
  #numWriting = 0;
  /** Gives up the hold of the result that is open. */
  #release: AbortController | null = null;

  constructor(scope: Scope, store: Store<State, Action>, onKept: (isKept: boolean) => void, recent = new RecentWork()) {
    this.#store = store;
    this.#onKept = onKept;
    this.#recent = recent;
    // The last moment in which a page may still write.
    scope.on(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.#flush();
    });
    scope.on(window, 'beforeunload', (event) => {
      if (this.#pending.size === 0) return;
      // A page that is being left does not live long enough to write: the browser asks, and meanwhile it is written.
      this.#flush();
      event.preventDefault();
    });
    scope.on(window, 'hashchange', () => {
      const id = idInAddress();
      const { phase } = store.get();
      if (id && !(phase.kind === 'done' && phase.outcome.id === id)) void this.open(id);
    });
    scope.add(() => {
      this.#hold(null);
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
    if (open?.id !== before?.id) this.#hold(open?.id ?? null);
    history.replaceState(null, '', open ? `${HASH}${open.id}` : location.pathname + location.search);
    if (!open) {
      void this.#list();
      return;
    }
    if (!this.#open.has(open.id)) {
      this.memoryOf(open);
      this.#keep(open);
      this.#keepSound(open);
    } else if (open.blob && before?.id === open.id && !before.blob) {
      this.memoryOf(open);
      this.#save(open.id);
      this.#keepSound(open);
    }
  }

  memoryOf(outcome: Outcome): StudioMemory {
    let open = this.#open.get(outcome.id);
    if (!open) {
      open = { outcome, memory: { history: new History(outcome.annotation), transcript: null }, peaks: null, hasVoices: false };
      this.#open.set(outcome.id, open);
    }
    const { history, transcript } = open.memory;
    const { durationSeconds } = outcome.annotation;
    // The sound came later, and tells how long the recording really is.
    if (durationSeconds > history.annotation.durationSeconds) open.memory = { history: lengthened(history, durationSeconds), transcript };
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
    // Without them the waveform is read again.
    void this.#recent.savePeaks(id, peaks);
  }

  voicesOf({ id, result }: Outcome): (() => Promise<KeptVoices>) | null {
    const voices = result?.voices;
    if (voices) return () => Promise.resolve(voices);
    if (!this.#open.get(id)?.hasVoices) return null;
    return async () => {
      const kept = await this.#recent.voices(id);
      if (kept) return kept as KeptVoices;
      throw new VoxlaneError({ code: 'storage', problem: workText.voicesGone });
    };
  }

  /** Files that came together with a recording, for its result; none the second time. */
  companionsOf(outcome: Outcome): readonly File[] {
    if (this.#taken.has(outcome)) return [];
    this.#taken.add(outcome);
    return outcome.companions ?? [];
  }

  async open(id: string): Promise<void> {
    const { lastOutcome } = this.#store.get();
    if (lastOutcome?.id === id && this.#open.has(id)) {
      // All of it is here still, also what found no room in the store.
      this.#store.dispatch({ type: 'returned' });
      return;
    }
    try {
      const kept = await this.#recent.open(id);
      if (!kept) {
        this.#lose(workText.gone);
        return;
      }
      const { outcome, history, transcript, recording, peaks, hasVoices } = kept;
      const opened = { ...outcome, blob: recording };
      const known = this.#open.get(id);
      // What was open here before is newer than what was written.
      if (known) known.hasVoices = hasVoices;
      else this.#open.set(id, { outcome: opened, memory: { history, transcript }, peaks, hasVoices });
      this.#store.dispatch({ type: 'opened', outcome: opened });
      this.#onKept(true);
    } catch (thrown) {
      this.#lose(workText.failed(messageOf(thrown)));
    }
  }

  async delete(id: string): Promise<void> {
    try {
      await this.#recent.delete(id);
      this.#open.delete(id);
      this.#store.dispatch({ type: 'kept-deleted', id });
    } catch (thrown) {
      this.#say(workText.notDeleted(messageOf(thrown)));
    }
    await this.#list();
  }

  /** Says where another tab has the same result open: what both correct, the last one to save decides. */
  #hold(id: string | null): void {
    this.#release?.abort();
    this.#release = null;
    // Absent on pages without HTTPS.
    if (id === null || !('locks' in navigator)) return;
    const release = new AbortController();
    this.#release = release;
    const held = new Promise<void>((resolve) => {
      release.signal.addEventListener('abort', () => {
        resolve();
      });
    });
    navigator.locks
      .request(`voxlane-work-${id}`, { ifAvailable: true }, (lock) => {
        if (lock) return held;
        if (!release.signal.aborted) this.#say(workText.elsewhere);
        return undefined;
      })
      // A browser that refuses locks has no such warning.
      .catch(() => undefined);
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

  /** All of a new result but its sound. */
  #keep(outcome: Outcome): void {
    const { id, result } = outcome;
    const { history } = this.memoryOf(outcome);
    this.#write(id, () => this.#recent.saveOutcome(outcome, history.toPlain()));
    const voices = result?.voices;
    if (voices) this.#write(null, () => this.#recent.saveVoices(id, voices));
  }

  #keepSound({ id, blob }: Outcome): void {
    if (!blob) return;
    const before = Promise.all([this.#writing, this.#writingSound]);
    this.#writingSound = this.#counted(async () => {
      await before;
      const kept = await this.#recent.saveRecording(id, blob);
      if (!kept.isKept && (kept.reason === 'full' || kept.reason === 'too-large')) this.#say(studioText.keptWithoutSound);
    });
  }

  #save(id: string): void {
    this.#pending.delete(id);
    const open = this.#open.get(id);
    if (!open) return;
    const { history, transcript } = open.memory;
    this.#write(id, async () => {
      const kept = await this.#recent.saveHistory(id, history.toPlain());
      // Another tab deleted it, or made room: whoever corrects it here wants it kept.
      return kept.isKept || kept.reason !== 'gone' ? kept : this.#recent.saveOutcome(open.outcome, history.toPlain());
    });
    this.#write(id, () => this.#recent.saveTranscript(id, transcript));
  }

  #flush(): void {
    for (const [id, timer] of this.#pending) {
      clearTimeout(timer);
      this.#save(id);
    }
  }

  /** @param id of the work that is lost if this is not kept; null for what can be done without */
  #write(id: string | null, save: () => Promise<Kept>): void {
    const before = this.#writing;
    this.#writing = this.#counted(async () => {
      await before;
      const kept = await save();
      if (kept.isKept || id === null || this.#lost.has(id)) return;
      this.#lost.add(id);
      this.#say(studioText.notKept);
    });
  }

  /** Tells that not all is written down until this is; saving tells its failures and never rejects. */
  async #counted(write: () => Promise<void>): Promise<void> {
    this.#numWriting += 1;
    this.#onKept(false);
    try {
      await write();
    } finally {
      this.#numWriting -= 1;
      if (this.#numWriting === 0 && this.#pending.size === 0) this.#onKept(this.#lost.size === 0);
    }
  }
}

/** The same corrections of a recording that turned out to be longer. */
function lengthened(history: History, durationSeconds: number): History {
  const plain = history.toPlain();
  return History.fromPlain({ ...plain, annotation: { ...plain.annotation, durationSeconds } });
}

function idInAddress(): string | null {
  return location.hash.startsWith(HASH) ? location.hash.slice(HASH.length) : null;
}
