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

/** Corrections are written down so long after the last one, so that a drag or a word typed costs one write. */
const SAVE_AFTER_MS = 400;
/** The first view waits for the list of earlier work. If the storage has not answered by then, the view comes without it. */
const FIRST_LIST_MS = 1000;
/** The result that is open, in the page's address: a reload opens it again. */
const HASH = '#work=';

/** A field with uncommitted text has this attribute. */
const DRAFT = '[data-draft]';

/** A result that was opened. */
interface OpenWork {
  /** Replaced if the sound is added later. */
  outcome: Outcome;
  readonly shared: SharedWork;
  peaks: Peaks | null;
  /** Whether its voices are in the browser's store. */
  hasVoices: boolean;
}

/** The results of this page and of earlier ones: what is open, what is kept, and what comes back. */
export class Workspace implements Work {
  readonly #scope: Scope;
  readonly #store: Store<State, Action>;
  readonly #recent: RecentWork;
  readonly #link: TabLink;
  readonly #listeners = new Set<(state: SaveState) => void>();
  readonly #open = new Map<string, OpenWork>();
  /** Results whose companions were taken. */
  readonly #taken = new WeakSet<Outcome>();
  /** Results that could not be kept. Each is reported once. */
  readonly #lost = new Set<string>();
  /** Voices and sound, which follow the result itself. */
  #writing: Promise<unknown> = Promise.resolve();
  /** Writes of voices and sound that are not done. */
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
      // Once hidden, the page may end without another event.
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
      // A page that is being left does not live long enough to write: the browser asks, and meanwhile it is written.
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

  /** Opens what the address names, and lists the rest. */
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
    // The sound may be added later, and gives the real length of the recording.
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
    const known = this.#open.get(id);
    try {
      const kept = await this.#recent.open(id);
      if (!kept) {
        // Work that did not fit into the store is still in memory.
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
      this.#tell();
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
      this.#tell();
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
            // Before the start page is shown again: it would move if the list came later.
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
        this.#tell();
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
    this.#tell();
    return open;
  }

  #onMessage(message: TabMessage): void {
    // A hidden page reads the store when it is shown.
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

  /** Whether leaving the page would lose anything. */
  #isAtRisk(): boolean {
    const isUnsaved = [...this.#open.values()].some(({ shared }) => shared.isUnsaved);
    return isUnsaved || this.#numWriting > 0 || jobOf(this.#store.get()) !== null || document.querySelector(DRAFT) !== null;
  }

  get #saveState(): SaveState {
    const states = [...this.#open.values()].map(({ shared }) => shared.state);
    if (states.includes('unsaved')) return 'unsaved';
    return this.#numWriting > 0 || states.includes('saving') ? 'saving' : 'saved';
  }

  #tell(): void {
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

  /** Keeps the heavy parts of a result that has just been stored, for the first time or again. */
  #keepParts(open: OpenWork): void {
    const { id, result } = open.outcome;
    const voices = result?.voices;
    open.hasVoices = false;
    // A failure is not reported here: without voices, the panel of the number of speakers says so after a reload.
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

  /** Writes a part of a result after the result itself, one at a time. */
  #write(id: string, write: () => Promise<void>): void {
    const before = Promise.all([this.#writing, this.#open.get(id)?.shared.save()]);
    this.#numWriting += 1;
    this.#tell();
    this.#writing = before
      .then(write)
      .catch(() => undefined)
      .then(() => {
        this.#numWriting -= 1;
        this.#tell();
      });
  }
}

function idInAddress(): string | null {
  return location.hash.startsWith(HASH) ? location.hash.slice(HASH.length) : null;
}
