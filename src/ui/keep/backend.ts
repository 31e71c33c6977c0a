/**
 * Where kept work lies: values by key, as structured clones. Any call may fail, with whatever the storage throws:
 * storage may be blocked, full, or cleared by the browser.
 */
export interface KeepBackend {
  /** Undefined where there is nothing. A Blob comes without its bytes, which are read when they are asked for. */
  get(key: string): Promise<unknown>;
  /** The values of several keys, read in one transaction. */
  getAll(keys: readonly string[]): Promise<unknown[]>;
  keys(): Promise<string[]>;
  /**
   * Writes what `change` makes of the value at `key`, and `entries`: all in one step or, where `change` gives null,
   * nothing. No other page writes in between.
   *
   * @param change must not throw
   * @returns whether it was written
   */
  write(key: string, change: (value: unknown) => object | null, entries: readonly (readonly [string, unknown])[]): Promise<boolean>;
  /** All in one step; keys without a value are passed over. */
  delete(keys: readonly string[]): Promise<void>;
}
