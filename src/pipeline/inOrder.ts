/** Values of consecutive windows that are filled in as the windows are done, in any order. */
interface Block<Values> {
  /** Axes (window, …). */
  readonly data: Values;
  /** Axes (window), 1 if the window is done. */
  readonly done: Uint8Array;
  /** Windows that were delivered. */
  delivered: number;
}

/** Marks windows of one block as done. */
export type MarkDone = (window: number) => void;

/** Receives the values of windows that are done and follow those of the last delivery; axes (window, …). */
export type Deliver<Values> = (values: Values, numWindows: number, deliveredWindows: number) => void;

/**
 * Delivers what a stage computed in the order of the windows, each window once, as soon as it and all windows before it are
 * done. Workers finish windows in any order, and a batch that did not fit into memory is computed in parts.
 */
export class InOrder<Values extends Float32Array | Uint8Array> {
  private readonly blocks: Block<Values>[] = [];
  private deliveredWindows = 0;

  constructor(private readonly deliver: Deliver<Values>) {}

  /** Windows that were delivered so far. */
  get completed(): number {
    return this.deliveredWindows;
  }

  /**
   * Adds the next windows of the recording.
   *
   * @param data axes (window, …); must hold a window's values when the window is marked
   */
  open(data: Values, numWindows: number): MarkDone {
    const block: Block<Values> = { data, done: new Uint8Array(numWindows), delivered: 0 };
    this.blocks.push(block);
    return (window) => {
      block.done[window] = 1;
      if (this.blocks[0] === block) this.flush();
    };
  }

  private flush(): void {
    for (let block = this.blocks[0]; block; block = this.blocks[0]) {
      const { data, done, delivered } = block;
      const next = done.indexOf(0, delivered);
      const end = next < 0 ? done.length : next;
      if (end > delivered) {
        const cells = data.length / done.length;
        block.delivered = end;
        this.deliveredWindows += end - delivered;
        this.deliver(data.subarray(delivered * cells, end * cells) as Values, end - delivered, this.deliveredWindows);
      }
      if (end < done.length) return;
      this.blocks.shift();
    }
  }
}
