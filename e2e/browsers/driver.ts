/** Browser operations used by the journey. Each browser has an implementation in `drivers/`. */
export interface Driver {
  /** Navigates to an address. Returns when the page has loaded, or earlier. */
  open(address: string): Promise<void>;
  /** Reloads the page. Returns when it has loaded, or earlier. */
  reload(): Promise<void>;
  /**
   * Runs a function in the page. It can only use its arguments. Arguments and result are transferred as JSON.
   */
  evaluate<Result, Parameters extends readonly unknown[]>(
    body: (...parameters: Parameters) => Result | Promise<Result>,
    ...parameters: Parameters
  ): Promise<Result>;
  /** Scrolls to the first element that matches `selector` and clicks it. */
  click(selector: string): Promise<void>;
  /** Types text into the focused element. */
  type(text: string): Promise<void>;
  /** Presses keys together and releases them: `press('Control', 'a')`. Names as in `KeyboardEvent.key`. */
  press(...keys: readonly Key[]): Promise<void>;
  /** Selects files in a file input, like its dialog. */
  chooseFiles(selector: string, ...paths: readonly string[]): Promise<void>;
  /** PNG of the page at a viewport of this width, in CSS pixels. */
  screenshot(widthPixels: number): Promise<Buffer>;
  /** Ends the browser and all processes started for it. */
  close(): Promise<void>;
}

/** Keys used by the journey besides single characters. */
export const NAMED_KEYS = ['Control', 'Enter', 'Escape', 'Tab', 'Delete', 'Home', 'ArrowLeft', 'ArrowRight', 'ArrowDown', 'ArrowUp'] as const;

export type Key = (typeof NAMED_KEYS)[number] | (string & {});

/** A browser for the journey. */
export interface BrowserKind {
  readonly name: string;
  /** Reason why this machine cannot run it, with the install command; null if it can. */
  readonly missing: () => string | null;
  /** Whether playback ends with a message if the machine has no sound output. The others play without sound. */
  readonly needsSoundOutput: boolean;
  /** Starts the browser. Downloads are saved to `downloadFolder`. */
  readonly start: (downloadFolder: string) => Promise<Driver>;
}
