export type Disposer = () => void;

/**
 * Owner of everything that outlives a call: listeners, observers, timers, object URLs.
 *
 * A view that registers all of it here cannot leak: whoever made the scope ends it once, and what was
 * added last goes first, so that a listener is gone before the thing it listens for.
 */
export class Scope {
  readonly #disposers = new Set<Disposer>();
  #disposed = false;

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Registers a disposer; the returned function takes it out again without running it.
   * On an ended scope the disposer runs at once: work that finished late still cleans up after itself.
   */
  add(disposer: Disposer): Disposer {
    if (this.#disposed) {
      disposer();
      return () => undefined;
    }
    // Wrapped, so that the same function may be added twice and each goes on its own.
    const entry = (): void => {
      disposer();
    };
    this.#disposers.add(entry);
    return () => {
      this.#disposers.delete(entry);
    };
  }

  on<K extends keyof WindowEventMap>(
    target: Window,
    type: K,
    listener: (event: WindowEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  on<K extends keyof DocumentEventMap>(
    target: Document,
    type: K,
    listener: (event: DocumentEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  on<K extends keyof HTMLElementEventMap>(
    target: HTMLElement,
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  on(
    target: EventTarget,
    type: string,
    listener: (event: Event) => void,
    options?: AddEventListenerOptions,
  ): void;
  on(
    target: EventTarget,
    type: string,
    listener: (event: never) => void,
    options?: AddEventListenerOptions,
  ): void {
    if (this.#disposed) return;
    const callback = listener as (event: Event) => void;
    target.addEventListener(type, callback, options);
    this.add(() => {
      target.removeEventListener(type, callback, options);
    });
  }

  /** A scope that ends with this one, or earlier on its own. */
  child(): Scope {
    const child = new Scope();
    const forget = this.add(() => {
      child.dispose();
    });
    child.add(forget);
    return child;
  }

  /** Runs every disposer, last added first. One that throws does not keep the others from running. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const disposers = [...this.#disposers].reverse();
    this.#disposers.clear();
    const failures: unknown[] = [];
    for (const disposer of disposers) {
      try {
        disposer();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'A disposer failed');
  }
}
