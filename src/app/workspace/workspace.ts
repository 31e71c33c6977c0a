import type { Peaks } from '../../audio/peaks';
import { History } from '../../editing/history';
import type { KeptVoices } from '../../engine/types';
import { VoxlaneError } from '../../util/errors';
import { sentenceOf } from '../../ui-kit/failure';
import type { Scope } from '../../ui-kit/scope';
import { RecentWork, type Corrections } from '../saved/recentWork';
import { browserTabLink, type SaveState, SharedWork, type TabLink, type TabMessage } from '../saved/sharedWork';
import { jobOf, NOT_LISTED, type Action, type Outcome, type State } from '../state';
import type { Store } from '../../ui-kit/store';
import { editorText } from '../editor/text';
import { workText } from './text';
import type { Work } from '../view';

/** Delay before corrections are saved, to save once after a drag or a typed word. */
const SAVE_AFTER_MS = 400;
/** Maximum time the first view waits for the list of saved results. */
const FIRST_LIST_MS = 1000;
/** Prefix of the URL hash with the id of the open result, which opens again after a reload. */
const HASH = '#work=';

/** Attribute of a field with uncommitted text. */
const DRAFT = '[data-draft]';

/** An open result. */
interface OpenWork {
  /** Replaced if the recording is added later. */
  outcome: Outcome;
  readonly shared: SharedWork;
  peaks: Peaks | null;
  /** Whether its voice data is saved in the browser. */
  hasVoices: boolean;
}

/** Manages the results of this and earlier visits: opens, saves and lists them. */
export class Workspace implements Work {
  readonly #scope: Scope;
  readonly #store: Store<State, Action>;
  readonly #recent: RecentWork;
  readonly #link: TabLink;
  readonly #listeners = new Set<(state: SaveState) => void>();
  readonly #open = new Map<string, OpenWork>();
  /** Results whose companions were already opened. */
  readonly #taken = new WeakSet<Outcome>();
  /** Results that could not be saved. Each is reported once. */
  readonly #lost = new Set<string>();
  /** Saving of voice data and recordings, which starts after the result itself is saved. */
  #writing: Promise<unknown> = Promise.resolve();
  /** Number of pending saves of voice data and recordings. */
  #numWriting = 0;

  constructor(scope: Scope, store: Store<State, Action>, recent = new RecentWork(), link = browserTabLink(scope)) {
    this.#scope = scope;
    this.#store = store;
    this.#recent = recent;
    this.#link = link;
    recent.onDropped = (id) => {
      link.post({ type: 'deleted', id });
      this.#open.get(id)?.shared.onMessage({ type: 'deleted', id });
    };
    link.listen((message) => {
      this.#onMessage(message);
    });
    scope.on(document, 'visibilitychange', () => {
      // A hidden page may be closed without another event.
      if (document.visibilityState === 'hidden') void this.saveAll();
      else this.#refresh();
    });
    // For browsers without channels, and for a page restored from the back/forward cache.
    scope.on(window, 'focus', () => {
      this.#refresh();
    });
    scope.on(window, 'pageshow', ({ persisted }) => {
      if (persisted) this.#refresh();
    });
    scope.on(window, 'beforeunload', (event) => {
      if (!this.#isAtRisk()) return;
      // There is no time to save while the page unloads. Saving continues while the browser asks for confirmation.
      void this.saveAll();
      event.preventDefault();
    });
    scope.on(window, 'hashchange', () => {
      const id = idInAddress();
      const { phase } = store.get();
      if (id && !(phase.kind === 'done' && phase.outcome.id === id)) void this.open(id);
    });
    scope.add(() => {
      void this.saveAll();
    });
  }

  /** Opens the result in the URL and lists the others. */
  async start(): Promise<void> {
    const timer = setTimeout(() => {
      if (this.#store.get().kept === NOT_LISTED) this.#store.dispatch({ type: 'kept-listed', kept: [] });
    }, FIRST_LIST_MS);
    this.#scope.add(() => {
      clearTimeout(timer);
    });
    const id = idInAddress();
    if (id) await this.open(id);
    await this.#list();
  }

  /** Saves each new result and updates the URL to the open result. */
  follow(next: State, previous: State): void {
    const open = next.phase.kind === 'done' ? next.phase.outcome : null;
    const before = previous.phase.kind === 'done' ? previous.phase.outcome : null;
    if (open === before) return;
    history.replaceState(null, '', open ? `${HASH}${open.id}` : location.pathname + location.search);
    if (!open) {
      void this.#list();
      return;
    }
    const known = this.#open.get(open.id);
    if (!known) {
      void this.correctionsOf(open).save();
    } else if (open.blob && before?.id === open.id && !before.blob) {
      known.outcome = open;
      this.correctionsOf(open);
      this.#keepSound(open);
    }
  }

  correctionsOf(outcome: Outcome): SharedWork {
    const { shared } = this.#open.get(outcome.id) ?? this.#add(outcome, { history: new History(outcome.annotation), transcript: null }, null);
    // The recording may be added later and sets the actual duration.
    shared.apply({ type: 'lengthen', durationSeconds: outcome.annotation.durationSeconds });
    return shared;
  }

  onSaveState(owner: Scope, listener: (state: SaveState) => void): void {
    this.#listeners.add(listener);
    owner.add(() => {
      this.#listeners.delete(listener);
    });
    listener(this.#saveState);
  }

  /** Saves all corrections now. Never rejects. */
  async saveAll(): Promise<void> {
    const unsaved = [...this.#open.values()].filter(({ shared }) => shared.isUnsaved);
    await Promise.all(unsaved.map(({ shared }) => shared.save()));
  }

  peaksOf({ id }: Outcome): Peaks | null {
    return this.#open.get(id)?.peaks ?? null;
  }

  keepPeaks({ id }: Outcome, peaks: Peaks): void {
    const open = this.#open.get(id);
    if (open) open.peaks = peaks;
    // If this fails, the waveform is computed again on the next visit.
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

  /** The files opened together with a recording, for its result. Empty on later calls. */
  companionsOf(outcome: Outcome): readonly File[] {
    if (this.#taken.has(outcome)) return [];
    this.#taken.add(outcome);
    return outcome.companions ?? [];
  }

  async open(id: string): Promise<void> {
    const { lastOutcome } = this.#store.get();
    if (lastOutcome?.id === id && this.#open.has(id)) {
      // The result is still in memory, even if there was no room to save it.
      this.#store.dispatch({ type: 'returned' });
      return;
    }
    const known = this.#open.get(id);
    try {
      const kept = await this.#recent.open(id);
      if (!kept) {
        // Work that could not be saved is still in memory.
        if (known?.shared.isUnsaved) this.#store.dispatch({ type: 'opened', outcome: known.outcome });
        else this.#lose(workText.gone);
        return;
      }
      const { outcome, corrections, recording, peaks, hasVoices } = kept;
      const opened = { ...outcome, blob: recording ?? known?.outcome.blob ?? null };
      if (known) {
        Object.assign(known, { outcome: opened, hasVoices });
        await known.shared.refresh();
      } else Object.assign(this.#add(opened, corrections, corrections.revision), { peaks, hasVoices });
      this.#store.dispatch({ type: 'opened', outcome: opened });
      this.#notify();
    } catch (thrown) {
      this.#lose(workText.failed(sentenceOf(thrown)));
    }
  }

  async delete(id: string): Promise<void> {
    try {
      await this.#recent.delete(id);
      this.#open.get(id)?.shared.close();
      this.#open.delete(id);
      this.#link.post({ type: 'deleted', id });
      this.#store.dispatch({ type: 'kept-deleted', id });
      this.#notify();
    } catch (thrown) {
      this.#say(workText.notDeleted(sentenceOf(thrown)));
    }
    await this.#list();
  }

  #add(outcome: Outcome, corrections: Corrections, revision: string | null): OpenWork {
    const { id } = outcome;
    const shared = new SharedWork({
      id,
      corrections,
      revision,
      place: {
        read: (known) => this.#recent.corrections(id, known),
        write: async (base, changed) => {
          if (base !== null) return this.#recent.saveCorrections(id, base, changed);
          const kept = await this.#recent.saveOutcome(open.outcome, changed);
          if (kept.isKept) {
            this.#keepParts(open);
            // Before the start page is shown again, to avoid a layout shift.
            void this.#list();
          }
          return kept;
        },
      },
      link: this.#link,
      later(callBack) {
        const timer = setTimeout(callBack, SAVE_AFTER_MS);
        return () => {
          clearTimeout(timer);
        };
      },
      onState: () => {
        this.#notify();
      },
      onFailure: () => {
        if (this.#lost.has(id)) return;
        this.#lost.add(id);
        this.#say(editorText.notKept);
      },
      onDeleted: () => {
        if (this.#isShown(id)) this.#say(workText.deletedElsewhere);
      },
    });
    shared.onReplaced(this.#scope, (numRefused) => {
      if (numRefused > 0) this.#say(workText.changedElsewhere(numRefused));
    });
    const open: OpenWork = { outcome, shared, peaks: null, hasVoices: false };
    this.#open.set(id, open);
    // A new result is not saved yet.
    this.#notify();
    return open;
  }

  #onMessage(message: TabMessage): void {
    // A hidden page reads the store when it becomes visible.
    if (document.visibilityState === 'hidden') return;
    this.#open.get(message.id)?.shared.onMessage(message);
    if (this.#store.get().phase.kind === 'empty') void this.#list();
  }

  #refresh(): void {
    for (const { shared } of this.#open.values()) void shared.refresh();
    if (this.#store.get().phase.kind === 'empty') void this.#list();
  }

  #isShown(id: string): boolean {
    const { phase } = this.#store.get();
    return phase.kind === 'done' && phase.outcome.id === id;
  }

  /** Whether leaving the page would lose work. */
  #isAtRisk(): boolean {
    const isUnsaved = [...this.#open.values()].some(({ shared }) => shared.isUnsaved);
    return isUnsaved || this.#numWriting > 0 || jobOf(this.#store.get()) !== null || document.querySelector(DRAFT) !== null;
  }

  get #saveState(): SaveState {
    const states = [...this.#open.values()].map(({ shared }) => shared.state);
    if (states.includes('unsaved')) return 'unsaved';
    return this.#numWriting > 0 || states.includes('saving') ? 'saving' : 'saved';
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener(this.#saveState);
  }

  #lose(why: string): void {
    history.replaceState(null, '', location.pathname + location.search);
    this.#say(why);
  }

  #say(said: string): void {
    this.#store.dispatch({ type: 'noticed', notice: { said } });
  }

  async #list(): Promise<void> {
    await this.saveAll();
    try {
      this.#store.dispatch({ type: 'kept-listed', kept: await this.#recent.list() });
    } catch {
      this.#say(workText.notListed);
    }
  }

  /** Saves the heavy parts of a result that was just stored, for the first time or again. */
  #keepParts(open: OpenWork): void {
    const { id, result } = open.outcome;
    const voices = result?.voices;
    open.hasVoices = false;
    // A failure is not reported here: after a reload, the speaker count panel reports missing voice data.
    if (voices) this.#write(id, async () => void (await this.#recent.saveVoices(id, voices)));
    this.#keepSound(open.outcome);
  }

  #keepSound({ id, blob }: Outcome): void {
    if (!blob) return;
    this.#write(id, async () => {
      const kept = await this.#recent.saveRecording(id, blob);
      if (!kept.isKept && (kept.reason === 'full' || kept.reason === 'too-large')) this.#say(editorText.keptWithoutSound);
    });
  }

  /** Writes a part of a result after the result itself, one part at a time. */
  #write(id: string, write: () => Promise<void>): void {
    const before = Promise.all([this.#writing, this.#open.get(id)?.shared.save()]);
    this.#numWriting += 1;
    this.#notify();
    this.#writing = before
      .then(write)
      .catch(() => undefined)
      .then(() => {
        this.#numWriting -= 1;
        this.#notify();
      });
  }
}

function idInAddress(): string | null {
  return location.hash.startsWith(HASH) ? location.hash.slice(HASH.length) : null;
}
