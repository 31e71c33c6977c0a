type Disposer = () => void;

/**
 * Owner of everything that outlives a call: listeners, observers, timers, object URLs.
 *
 * A view that registers its resources here cannot leak: the creator of the scope disposes it once. Disposers run in
 * reverse order, so a listener is removed before the object that it listens to.
 */
export class Scope {
  readonly #disposers = new Set<Disposer>();
  #disposed = false;

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Registers a disposer; the returned function removes it without running it. On a disposed scope the disposer runs at
   * once, so that work that finishes late is cleaned up.
   */
  add(disposer: Disposer): Disposer {
    if (this.#disposed) {
      disposer();
      return () => undefined;
    }
    // Wrapped, so that the same function can be added twice and removed separately.
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

  /** A scope that ends with this one, or earlier. */
  child(): Scope {
    const child = new Scope();
    const forget = this.add(() => {
      child.dispose();
    });
    child.add(forget);
    return child;
  }

  /** Runs all disposers in reverse order, even if one throws. */
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
