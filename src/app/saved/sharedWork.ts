import { type CarriedOut, carryOut, type HistoryCommand, repeatAll } from '../../editing/repeat';
import type { Transcript } from '../../transcript/transcript';
import type { Scope } from '../../ui-kit/scope';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { Corrections, CorrectionsToSave, KeptCorrections, NotKept, StoredCorrections } from './recentWork';

/** A message to the other tabs about a piece of work. */
export type TabMessage =
  | { readonly type: 'saved'; readonly id: string; readonly revision: string }
  | { readonly type: 'deleted'; readonly id: string };

/** The connection between tabs of this browser, besides the store. */
export interface TabLink {
  /**
   * Runs a task while no other tab runs one for the same work. Tasks are queued. If a tab crashes, its lock is released. Without
   * lock support, the task runs at once. This is safe, because each save passes the revision that it is based on.
   */
  exclusively(id: string, task: () => Promise<void>): Promise<void>;
  /** Sends a message to all other tabs. Without channel support, tabs read the store when they get the focus. */
  post(message: TabMessage): void;
  listen(listener: (message: TabMessage) => void): void;
}

/** A tab that is suspended while it holds the lock must not block the others. */
const PATIENCE_MS = 5000;

/** Uses Web Locks, which require HTTPS, and a BroadcastChannel. */
export function browserTabLink(scope: Scope): TabLink {
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('voxlane-work') : null;
  scope.add(() => {
    channel?.close();
  });
  return {
    async exclusively(id, task) {
      const { locks } = navigator as { readonly locks?: LockManager };
      if (!locks) {
        await task();
        return;
      }
      const waiting = new AbortController();
      const timer = setTimeout(() => {
        waiting.abort();
      }, PATIENCE_MS);
      const run = { isBegun: false };
      try {
        await locks.request(`voxlane-work-${id}`, { signal: waiting.signal }, async () => {
          run.isBegun = true;
          clearTimeout(timer);
          await task();
        });
      } catch (error) {
        if (run.isBegun) throw error;
        // The browser refuses locks, or another tab holds the lock for too long.
        await task();
      } finally {
        clearTimeout(timer);
      }
    },
    post(message) {
      channel?.postMessage(message);
    },
    listen(listener) {
      if (!channel) return;
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (isMessage(data)) listener(data);
      };
    },
  };
}

/** Other tabs may run a different release. */
function isMessage(data: unknown): data is TabMessage {
  if (typeof data !== 'object' || data === null) return false;
  const { type, id, revision } = data as Record<string, unknown>;
  return typeof id === 'string' && (type === 'deleted' || (type === 'saved' && typeof revision === 'string'));
}

/** A change of the corrections of a result. */
export type Command =
  | HistoryCommand
  | { readonly type: 'transcript'; readonly transcript: Transcript | null }
  /** The recording was added later and is longer than its turns. */
  | { readonly type: 'lengthen'; readonly durationSeconds: number };

/**
 * Whether the changes shown in this tab are stored: `saved`; `saving`, also while a save is scheduled; or `unsaved`,
 * because the store rejected them or another tab deleted the work.
 */
export type SaveState = 'saved' | 'saving' | 'unsaved';

/** Access to one saved result in the store: see `RecentWork`. */
interface WorkPlace {
  read(known: string | null): Promise<StoredCorrections | 'same' | null>;
  /** @param base null if the work is not stored yet */
  write(base: string | null, corrections: CorrectionsToSave): Promise<KeptCorrections>;
}

interface SharedWorkOptions {
  readonly id: string;
  readonly corrections: Corrections;
  /** Revision of the corrections; null if the work is not stored yet. */
  readonly revision: string | null;
  readonly place: WorkPlace;
  readonly link: Pick<TabLink, 'exclusively' | 'post'>;
  /** Schedules a callback. Returns a function that cancels it. */
  readonly later: (callBack: () => void) => () => void;
  readonly onState: () => void;
  /** Called when a save failed. The next change triggers a retry. */
  readonly onFailure: (why: NotKept) => void;
  /** Called when another tab deleted the work. The next change stores it again. */
  readonly onDeleted: () => void;
}

/** Called after another tab changed the corrections, with the number of changes of this tab that could not be reapplied. */
type ReplacedListener = (numRefused: number) => void;

interface Pending {
  readonly command: Command;
  /** Null for a command that is not part of the history. */
  readonly carriedOut: CarriedOut | null;
}

/**
 * The corrections of one result in one tab. Every tab with the result open can correct it and shows the changes saved
 * by the others.
 *
 * A change is applied at once and saved soon after. A save passes the revision that it is based on. If another tab has
 * saved in between, this tab reads the newest corrections, reapplies its own unsaved changes, and saves again: saved
 * changes are never overwritten. A change that no longer applies is dropped and reported (see `editing/repeat`).
 */
export class SharedWork {
  readonly #options: SharedWorkOptions;
  readonly #listeners = new Set<ReplacedListener>();
  #corrections: Corrections;
  #revision: string | null;
  /** Changes that are not stored yet, oldest first. */
  #pending: Pending[] = [];
  #failure: NotKept | null = null;
  #isDeleted = false;
  #isClosed = false;
  #cancelTimer: (() => void) | null = null;
  /** One read or save at a time. */
  #tasks: Promise<void> = Promise.resolve();

  constructor(options: SharedWorkOptions) {
    this.#options = options;
    this.#corrections = options.corrections;
    this.#revision = options.revision;
  }

  get corrections(): Corrections {
    return this.#corrections;
  }

  get state(): SaveState {
    if (this.#isDeleted || this.#failure) return 'unsaved';
    return this.#pending.length === 0 && this.#revision !== null ? 'saved' : 'saving';
  }

  /** Whether this tab has unsaved changes. After another tab deleted the work, only a change stores it again. */
  get isUnsaved(): boolean {
    return this.#pending.length > 0 || (this.#revision === null && !this.#isDeleted);
  }

  /**
   * Applies a change and schedules a save.
   *
   * @returns whether anything changed
   * @throws VoxlaneError `options` if an edit is invalid; nothing changes then
   */
  apply(command: Command): boolean {
    const done = this.#carryOut(command);
    if (!done) return false;
    this.#pending.push(done);
    this.#cancelTimer ??= this.#options.later(() => {
      this.#cancelTimer = null;
      void this.save();
    });
    this.#options.onState();
    return true;
  }

  /** Saves unsaved changes immediately. Never rejects. */
  save(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    return this.#serially(() => this.#options.link.exclusively(this.#options.id, () => this.#saveNow()));
  }

  /** Reads the changes saved by another tab. Never rejects: if the store cannot be read, the corrections are unchanged. */
  refresh(): Promise<void> {
    return this.#serially(async () => {
      // Not stored yet.
      if (this.#revision === null && !this.#isDeleted) return;
      if (!(await this.#takeNewest())) this.#noteDeleted();
    });
  }

  onMessage(message: TabMessage): void {
    if (message.type === 'saved' && message.revision === this.#revision) return;
    void this.refresh();
  }

  /** Calls the listener after another tab changed the corrections. Ends with `owner`. */
  onReplaced(owner: Scope, listener: ReplacedListener): void {
    this.#listeners.add(listener);
    owner.add(() => {
      this.#listeners.delete(listener);
    });
  }

  /** Stops saving. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
  }

  #serially(task: () => Promise<void>): Promise<void> {
    this.#tasks = this.#tasks
      .then(() => (this.#isClosed ? undefined : task()))
      .catch(() => undefined)
      .then(this.#options.onState);
    return this.#tasks;
  }

  async #saveNow(): Promise<void> {
    while (this.isUnsaved && !this.#isClosed) {
      const written = this.#pending.length;
      const kept = await this.#write();
      if (kept.isKept) {
        this.#pending.splice(0, written);
        this.#revision = kept.revision;
        this.#failure = null;
        this.#isDeleted = false;
        this.#options.link.post({ type: 'saved', id: this.#options.id, revision: kept.revision });
        return;
      }
      if (kept.reason === 'gone') this.#revision = null;
      else if (kept.reason !== 'changed' || !(await this.#canTakeNewest())) {
        this.#failure = kept;
        this.#options.onFailure(kept);
        return;
      }
    }
  }

  async #write(): Promise<KeptCorrections> {
    const { history, transcript } = this.#corrections;
    const isTranscriptNew = this.#revision === null || this.#pending.some(({ command }) => command.type === 'transcript');
    try {
      return await this.#options.place.write(this.#revision, { history: history.toPlain(), ...(isTranscriptNew && { transcript }) });
    } catch (thrown) {
      // For example, if a history is too long for one string.
      return { isKept: false, reason: 'unavailable', error: new VoxlaneError({ code: 'storage', problem: messageOf(thrown) }) };
    }
  }

  async #canTakeNewest(): Promise<boolean> {
    try {
      if (!(await this.#takeNewest())) this.#revision = null;
      return true;
    } catch {
      return false;
    }
  }

  /** @returns false if the work is no longer stored */
  async #takeNewest(): Promise<boolean> {
    const stored = await this.#options.place.read(this.#revision);
    if (stored === 'same') return true;
    if (!stored) return false;
    this.#corrections = stored;
    this.#revision = stored.revision;
    this.#isDeleted = false;
    const numRefused = this.#repeat();
    if (this.#pending.length === 0) this.#failure = null;
    for (const listener of [...this.#listeners]) listener(numRefused);
    return true;
  }

  /** Reapplies the unsaved changes. @returns the number that no longer apply */
  #repeat(): number {
    const before = this.#pending;
    const { carriedOut, numRefused } = repeatAll(this.#corrections.history, before.map((each) => each.carriedOut).filter((done) => done !== null));
    const others = before.filter(({ command }) => command.type === 'transcript' || command.type === 'lengthen');
    this.#pending = [
      ...carriedOut.map((done): Pending => ({ command: done.command, carriedOut: done })),
      ...others.flatMap(({ command }) => this.#carryOut(command) ?? []),
    ];
    return numRefused;
  }

  #noteDeleted(): void {
    if (this.#isDeleted) return;
    this.#isDeleted = true;
    // Unsaved changes and the next change store it again.
    this.#revision = null;
    if (this.#pending.length > 0) return;
    this.#options.onDeleted();
  }

  #carryOut(command: Command): Pending | null {
    const { history, transcript } = this.#corrections;
    switch (command.type) {
      case 'transcript':
        if (command.transcript === transcript) return null;
        this.#corrections = { history, transcript: command.transcript };
        return { command, carriedOut: null };
      case 'lengthen':
        if (command.durationSeconds <= history.annotation.durationSeconds) return null;
        this.#corrections = { history: history.lengthened(command.durationSeconds), transcript };
        return { command, carriedOut: null };
      default: {
        const carriedOut = carryOut(history, command);
        return carriedOut && { command, carriedOut };
      }
    }
  }
}
