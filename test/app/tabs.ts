import { annotationOf } from '../../src/editing/annotationOf';
import { History, type PlainHistory } from '../../src/editing/history';
import { type SaveState, SharedWork, type TabMessage } from '../../src/app/saved/sharedWork';
import type { NotKept } from '../../src/app/saved/recentWork';
import { VoxlaneError } from '../../src/util/errors';

/** Pending steps of the browser. The test chooses the next one. */
export class Waiting {
  readonly #steps: (() => void)[] = [];

  get length(): number {
    return this.#steps.length;
  }

  step(): Promise<void> {
    return new Promise((resolve) => {
      this.#steps.push(resolve);
    });
  }

  /** @param which position of the step, 0 to 1 */
  async run(which: number): Promise<void> {
    const [step] = this.#steps.splice(Math.floor(which * this.#steps.length), 1);
    step?.();
    await this.arrive();
  }

  /** Runs microtasks until only pending steps remain. */
  async arrive(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Stored content of one revision. */
export interface Commit {
  readonly revision: string;
  /** JSON of a history and a transcript. */
  readonly history: string;
  readonly transcript: string;
}

/** State shared by the tabs: the store of one piece of work, a lock, and a channel. */
export class World {
  readonly waiting = new Waiting();
  readonly tabs = new Set<Tab>();
  /** All commits so far, by revision. */
  readonly commits = new Map<string, Commit>();
  stored: Commit | null = null;
  hasLocks = true;
  hasChannel = true;
  isFull = false;
  /** The first tab holds the lock. */
  readonly queue: { readonly tab: Tab; readonly begin: () => void }[] = [];

  commit(history: PlainHistory, transcript: string): string {
    const revision = `r${this.commits.size}`;
    this.stored = { revision, history: JSON.stringify(history), transcript };
    this.commits.set(revision, this.stored);
    return revision;
  }

  /** Runs all pending steps. */
  async settle(): Promise<void> {
    await this.waiting.arrive();
    while (this.waiting.length > 0) await this.waiting.run(0);
  }
}

const START = annotationOf(
  [0, 3, 6, 9].map((startSeconds, index) => ({ startSeconds, endSeconds: startSeconds + 2, speaker: `SPEAKER_0${index % 2}` })),
  [],
  [],
  20,
);

/** A tab with the opened work, from its load to its crash or reload. */
export class Tab {
  readonly #world: World;
  readonly work: SharedWork;
  readonly #life = { isGone: false };
  numRefused = 0;
  numDeleted = 0;
  readonly failures: NotKept[] = [];
  /** Last revision read or written. */
  revision: string | null;

  /** @param onState called after every change of the shown state */
  constructor(world: World, onState: (tab: Tab, state: SaveState) => void) {
    this.#world = world;
    const { stored } = world;
    this.revision = stored?.revision ?? null;
    this.work = new SharedWork({
      id: 'work',
      corrections: stored ? parsed(stored) : { history: new History(START), transcript: null },
      revision: this.revision,
      place: {
        read: (known) =>
          this.#effect(() => {
            const now = world.stored;
            if (!now) return null;
            if (now.revision === known) return 'same';
            this.revision = now.revision;
            return { ...parsed(now), revision: now.revision };
          }),
        write: (base, { history, transcript }) =>
          this.#effect(() => {
            if (world.isFull) return refused('full');
            if (base === null ? world.stored : world.stored?.revision !== base) return refused(world.stored ? 'changed' : 'gone');
            const revision = world.commit(history, transcript === undefined ? world.stored!.transcript : JSON.stringify(transcript));
            this.revision = revision;
            return { isKept: true, revision } as const;
          }),
      },
      link: {
        exclusively: (_, task) => this.#exclusively(task),
        post: (message) => {
          this.#post(message);
        },
      },
      later: (callBack) => {
        let isCancelled = false;
        void world.waiting.step().then(() => {
          if (!isCancelled && !this.isGone) callBack();
        });
        return () => {
          isCancelled = true;
        };
      },
      onState: () => {
        if (!this.isGone) onState(this, this.work.state);
      },
      onFailure: (why) => this.failures.push(why),
      onDeleted: () => (this.numDeleted += 1),
    });
    this.work.onReplaced({ add: () => () => undefined } as never, (numRefused) => (this.numRefused += numRefused));
    world.tabs.add(this);
  }

  get isGone(): boolean {
    return this.#life.isGone;
  }

  /** Ends the tab now. Its pending steps never run, and its lock is released. */
  crash(): void {
    this.#life.isGone = true;
    const { tabs, queue } = this.#world;
    tabs.delete(this);
    const hadLock = queue[0]?.tab === this;
    queue.splice(0, queue.length, ...queue.filter(({ tab }) => tab !== this));
    if (hadLock) queue[0]?.begin();
  }

  /** Deletes the work like the list of saved work. */
  delete(): void {
    this.#world.stored = null;
    this.#post({ type: 'deleted', id: 'work' });
  }

  /** Runs an effect in one browser step and delivers its result in another. */
  async #effect<Value>(effect: () => Value): Promise<Value> {
    await this.#step();
    const value = effect();
    await this.#step();
    return value;
  }

  async #exclusively(task: () => Promise<void>): Promise<void> {
    const { hasLocks, queue } = this.#world;
    await this.#untilGone();
    if (!hasLocks) {
      await task();
      return;
    }
    await new Promise<void>((resolve) => {
      // The tab can crash between two microtasks. A crashed tab must not request a lock.
      if (this.isGone) return;
      queue.push({ tab: this, begin: resolve });
      if (queue.length === 1) resolve();
    });
    await this.#step();
    await task();
    await this.#untilGone();
    // If the tab crashed meanwhile, its lock is already released.
    if (this.isGone) return;
    queue.shift();
    queue[0]?.begin();
  }

  /** Waits for the next step of the browser. */
  async #step(): Promise<void> {
    await this.#world.waiting.step();
    await this.#untilGone();
  }

  /** Resolves immediately, or never if the tab is gone. */
  #untilGone(): Promise<void> {
    return this.isGone ? new Promise(() => undefined) : Promise.resolve();
  }

  #post(message: TabMessage): void {
    if (!this.#world.hasChannel) return;
    for (const tab of this.#world.tabs) {
      if (tab === this) continue;
      void this.#world.waiting.step().then(() => {
        if (!tab.isGone) tab.work.onMessage(message);
      });
    }
  }
}

/** Shown state of a tab, for comparison with the store. */
export function shownBy({ work }: Tab): Omit<Commit, 'revision'> {
  const { history, transcript } = work.corrections;
  return { history: JSON.stringify(history.toPlain()), transcript: JSON.stringify(transcript) };
}

function parsed({ history, transcript }: Commit) {
  return { history: History.fromPlain(JSON.parse(history)), transcript: JSON.parse(transcript) as null };
}

function refused(reason: NotKept['reason']): NotKept {
  return { isKept: false, reason, error: new VoxlaneError({ code: 'storage', problem: reason }) };
}
