/** What the journey asks of a browser. Each browser has an implementation in `drivers/`. */
export interface Driver {
  /** Goes to an address. Returns at the latest when the page has loaded. */
  open(address: string): Promise<void>;
  /** Loads the page anew. Returns at the latest when it has loaded. */
  reload(): Promise<void>;
  /**
   * Runs a function in the page. It must use nothing from outside itself but its arguments, which travel as JSON, as
   * the result does.
   */
  evaluate<Result, Parameters extends readonly unknown[]>(
    body: (...parameters: Parameters) => Result | Promise<Result>,
    ...parameters: Parameters
  ): Promise<Result>;
  /** Presses and releases the mouse button over the first element that `selector` matches, after scrolling to it. */
  click(selector: string): Promise<void>;
  /** Types text into the element that has the focus. */
  type(text: string): Promise<void>;
  /** Presses keys together and releases them: `press('Control', 'a')`. Names as in `KeyboardEvent.key`. */
  press(...keys: readonly Key[]): Promise<void>;
  /** Chooses files in a file input, as its dialog would. */
  chooseFiles(selector: string, ...paths: readonly string[]): Promise<void>;
  /** PNG of the page at a viewport of this width, in CSS pixels. */
  screenshot(widthPixels: number): Promise<Buffer>;
  /** Ends the browser and whatever was started for it. */
  close(): Promise<void>;
}

/** Keys that the journey uses besides single characters. */
export const NAMED_KEYS = ['Control', 'Enter', 'Escape', 'Tab', 'Delete', 'Home', 'ArrowLeft', 'ArrowRight', 'ArrowDown', 'ArrowUp'] as const;

export type Key = (typeof NAMED_KEYS)[number] | (string & {});

/** A browser that the journey may run in. */
export interface BrowserKind {
  readonly name: string;
  /** Why this machine cannot run it, and the command that changes that; null if it can. */
  readonly missing: () => string | null;
  /** Starts it. Files that the page saves land in `downloadFolder`. */
  readonly start: (downloadFolder: string) => Promise<Driver>;
}
