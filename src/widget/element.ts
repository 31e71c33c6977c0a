import type { DiarizationSource } from '../engine/run';
import type { DiarizationResult, DiarizerOptions } from '../engine/types';
import { Scope } from '../ui-kit/scope';
import { VoxlaneError } from '../util/errors';
import { ReflectingElement } from './reflectingElement';
import { readSettings, RUN_ATTRIBUTES, type RunAttribute, type WidgetSettings } from './settings';
import { type LoadEngine, nameOfSource, Session } from './state/session';
import { sheetFor } from './styles/sheet';
import { createShell, type Shell } from './view/shell';
import { languageOf, wordsIn } from './words';

/** A run of an element that is nowhere could not be ended by removing it. */
export function notConnected(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The element is in no document',
    expected: 'an element that is, so that what it holds is freed when it is removed',
    remedy: 'Append it first, or use diarize() of the library',
  });
}

/** `diarize()` was called before there was anything to analyze. */
export function noRecording(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'There is no recording',
    expected: 'a source, or the attribute src',
    remedy: 'Pass one to diarize(), or set source or src first',
  });
}

/** Properties that a page may have set on the element before it was defined. */
const UPGRADED = ['src', 'source', 'options', 'preset', 'speed', 'speakers', 'minSpeakers', 'maxSpeakers', 'minDurationOn', 'minDurationOff', 'track', 'sampleRate', 'backend', 'modelsBase', 'theme'] as const;

const loadEngine: LoadEngine = async () => (await import('../engine/sharedDiarizer')).shareDiarizer;

/**
 * A recording goes in, by drop, file button, attribute or property; who speaks when comes out, to hear, to name and to
 * take home. Nothing leaves the machine.
 *
 * Widgets of one page with the same options share one engine, and their runs take turns. A widget that is removed ends
 * its run and frees all that it held; put back, it works again.
 *
 * @tagname voxlane-diarizer
 *
 * @attr {string} src - Address of a recording, relative to the page. It is analyzed as soon as it is set.
 * @attr {'auto' | 'exact' | 'fast' | 'campplus' | 'community-1'} preset - Which models. Default `auto`.
 * @attr {'exact' | 'fast'} speed - How much is computed. Default `exact`.
 * @attr {number} speakers - Exact number of speakers, 1 to 255. Excludes `min-speakers` and `max-speakers`.
 * @attr {number} min-speakers - Smallest number of speakers.
 * @attr {number} max-speakers - Largest number of speakers.
 * @attr {number} min-duration-on - Shortest turn in seconds: shorter ones are removed. Default: that of the preset.
 * @attr {number} min-duration-off - Shortest gap in seconds between two turns of the same speaker: shorter ones are filled. Default: that of the preset.
 * @attr {number} track - Audio track of a file, from 1 on. Default: the one that the file marks, or the first.
 * @attr {number} sample-rate - Rate in Hz of a source that is samples, which it needs. A file has its own.
 * @attr {'auto' | 'webgpu' | 'wasm'} backend - Where the models run. Default `auto`.
 * @attr {string} models-base - Address under which `<model id>/manifest.json` is found. Default: those of `voxlane-assets`.
 * @attr {'auto' | 'light' | 'dark'} theme - Colors. Default `auto`: the `color-scheme` of the page around the widget.
 * @attr {string} lang - Language, of the element or of one around it: English or German.
 *
 * @fires {CustomEvent<Progress>} progress - A stage of the run got on; `detail` says how far. Does not bubble.
 * @fires {CustomEvent<DiarizationResult>} result - A run has ended well; `detail` is its result. Does not bubble.
 * @fires {CustomEvent<VoxlaneError>} error - A run has failed, or an attribute cannot be used; `detail` says what was expected. Does not bubble.
 * @fires {Event} cancel - A run was cancelled, by whatever. Does not bubble.
 * @fires {CustomEvent<SpeakerRename>} rename - A person has given a speaker another name. Does not bubble.
 *
 * @slot - What the drop zone says above its button, while there is no recording.
 * @slot footer - Below everything, in every state.
 *
 * @csspart base - All of the widget.
 * @csspart dropzone - The drop zone, while there is no recording.
 * @csspart button - Every button that has a border.
 * @csspart primary-button - The one button of a state that leads on.
 * @csspart progress - The progress bar.
 * @csspart progress-fill - What of the bar is done.
 * @csspart header - Name of the recording, and what was found.
 * @csspart player - Play button and clock.
 * @csspart play-button - The round button that plays.
 * @csspart notes - What was repaired, skipped or left out while the recording was read.
 * @csspart tracks - The timeline with one track for each speaker.
 * @csspart playhead - The line of the current moment.
 * @csspart speakers - The list of speakers beside the tracks.
 * @csspart speaker - One speaker.
 * @csspart speaker-name - The field with a speaker's name.
 * @csspart turns - The scrolling list of turns.
 * @csspart turn - One turn.
 * @csspart menu - The list of export formats.
 * @csspart error - What was wrong, and what to do.
 * @csspart notice - A line about an attribute that cannot be used.
 *
 * @cssprop [--voxlane-accent] - Buttons, playhead, focus rings, bar.
 * @cssprop [--voxlane-accent-hover] - The same under the pointer.
 * @cssprop [--voxlane-accent-wash] - Background of the current turn, and of the drop zone under a file.
 * @cssprop [--voxlane-on-accent] - Text on the accent.
 * @cssprop [--voxlane-surface] - Background.
 * @cssprop [--voxlane-surface-raised] - Background of buttons, fields and menus.
 * @cssprop [--voxlane-track] - Background of tracks and bar.
 * @cssprop [--voxlane-ink] - Text.
 * @cssprop [--voxlane-ink-muted] - Text of less weight.
 * @cssprop [--voxlane-rule] - Thin lines.
 * @cssprop [--voxlane-rule-strong] - Borders of buttons and fields.
 * @cssprop [--voxlane-radius=4px] - Corners of buttons and fields.
 * @cssprop [--voxlane-radius-large=8px] - Corners of the widget.
 * @cssprop [--voxlane-sans] - Font family of text.
 * @cssprop [--voxlane-mono] - Font family of times.
 * @cssprop [--voxlane-unit=1rem] - Scales text, spaces and buttons together.
 * @cssprop [--voxlane-speaker-1] - Color of the first speaker.
 * @cssprop [--voxlane-speaker-2] - Color of the second speaker.
 * @cssprop [--voxlane-speaker-3] - Color of the third speaker.
 * @cssprop [--voxlane-speaker-4] - Color of the fourth speaker.
 * @cssprop [--voxlane-speaker-5] - Color of the fifth speaker.
 * @cssprop [--voxlane-speaker-6] - Color of the sixth speaker.
 * @cssprop [--voxlane-speaker-7] - Color of the seventh speaker.
 * @cssprop [--voxlane-speaker-8] - Color of the eighth speaker; the ninth has the first again, with a pattern.
 */
export class VoxlaneDiarizerElement extends ReflectingElement {
  /** Attributes that the element answers to when they change. */
  static readonly observedAttributes: readonly string[] = ['src', ...RUN_ATTRIBUTES, 'theme', 'lang'];

  /** Owns all that lives while the element is in a document; null while it is not. */
  #scope: Scope | null = null;
  #shell: Shell | null = null;
  readonly #session: Session;
  /** What is to be analyzed, or was: an address or the recording itself. */
  #input: DiarizationSource | string | null = null;
  #options: DiarizerOptions = {};
  #run: Promise<DiarizationResult> | null = null;
  /** A source was set that has not been started yet: several changes at once are one. */
  #isDue = false;
  #isScheduled = false;
  /** The fault of the attributes that was told last; null while they can be used. */
  #fault: string | null = null;

  /** Starts nothing: the engine is loaded with the first recording. */
  constructor() {
    super();
    this.attachShadow({ mode: 'open', delegatesFocus: false });
    this.#session = new Session(loadEngine, {
      onPhase: (phase) => this.#shell?.show(phase),
      onProgress: (detail) => this.dispatchEvent(new CustomEvent('progress', { detail })),
      onResult: (detail) => this.dispatchEvent(new CustomEvent('result', { detail })),
      onFailed: (detail) => this.dispatchEvent(new CustomEvent('error', { detail })),
      onCancelled: () => {
        this.#run = null;
        this.dispatchEvent(new Event('cancel'));
      },
    });
  }

  /**
   * The recording itself, in place of `src`: a file, its bytes, or mono samples. It is analyzed as soon as it is set; of
   * `src` and `source` the one that was set last counts. Null takes the recording and its result away.
   */
  get source(): DiarizationSource | null {
    return typeof this.#input === 'string' ? null : this.#input;
  }
  set source(value: DiarizationSource | null) {
    this.#setInput(value);
  }

  /**
   * Options of the library that have no attribute, such as `hub`, `runtime`, `goldens` or `threads`. They hold from the
   * next run on; an attribute comes before the option of the same name. Widgets share an engine only where their options
   * are the same.
   */
  get options(): DiarizerOptions {
    return this.#options;
  }
  set options(value: DiarizerOptions) {
    this.#options = value;
  }

  /** Of the last run that ended well; null until one has. It stays while another recording is analyzed. */
  get result(): DiarizationResult | null {
    return this.#session.last?.result ?? null;
  }

  /** Whether a run is under way, or waits for that of another widget. */
  get running(): boolean {
    return this.#session.isRunning;
  }

  /**
   * Analyzes a recording, and first cancels the run under way. Without `source` it is that of `source` or `src`; while
   * that is being analyzed already, the promise is the one of that run.
   *
   * @throws VoxlaneError `options` without a recording or with an attribute that cannot be used, `disposed` while the
   * element is in no document, `cancelled`, and what `Diarizer.diarize` throws
   */
  diarize(source?: DiarizationSource): Promise<DiarizationResult> {
    if (source === undefined && !this.#isDue && this.#run) return this.#run;
    if (!this.#scope) return Promise.reject(notConnected());
    if (source !== undefined) this.#input = source;
    return this.#start();
  }

  /** Ends the run under way; its promise rejects with `cancelled`. Nothing happens where there is none. */
  cancel(): void {
    this.#isDue = false;
    this.#session.cancel();
  }

  /** Called by the browser when the element comes into a document: shows it, and starts what `src` names. */
  connectedCallback(): void {
    if (!this.#isInPage) return;
    if (this.#scope) {
      // Moved: the language around it may be another.
      this.#shell?.setLanguage(wordsIn(languageOf(this)));
      return;
    }
    for (const name of UPGRADED) this.#upgrade(name);
    this.#mount();
    this.#schedule();
  }

  /** Called by the browser when the element leaves its document: ends its run, unless it is only moved. */
  disconnectedCallback(): void {
    // An element that is only moved is connected again before the microtask.
    queueMicrotask(() => {
      if (!this.#isInPage) this.#unmount();
    });
  }

  /** Called by the browser when the element comes into another document, whose style sheet it takes. */
  adoptedCallback(): void {
    if (this.shadowRoot && this.ownerDocument.defaultView) this.shadowRoot.adoptedStyleSheets = [sheetFor(this.ownerDocument)];
  }

  /** Called by the browser when one of {@link VoxlaneDiarizerElement.observedAttributes} changes. */
  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (before === value) return;
    if (name === 'src') this.#setInput(value);
    else if (name === 'lang') this.#shell?.setLanguage(wordsIn(languageOf(this)));
    else this.#schedule();
  }

  /** A document without a window, such as that of a template, shows nothing and takes no style sheet of another. */
  get #isInPage(): boolean {
    return this.isConnected && this.ownerDocument.defaultView !== null;
  }

  #mount(): void {
    const root = this.shadowRoot;
    if (!root) return;
    const scope = new Scope();
    this.#scope = scope;
    root.adoptedStyleSheets = [sheetFor(this.ownerDocument)];
    this.#shell = createShell(scope, root, wordsIn(languageOf(this)), {
      open: (file) => {
        this.source = file;
      },
      cancel: () => {
        this.cancel();
      },
      retry: () => {
        this.#quietly(this.#start());
      },
      back: () => {
        this.#session.showLast();
      },
      hasResult: () => this.#session.last !== null,
      renamed: (detail) => this.dispatchEvent(new CustomEvent('rename', { detail })),
    });
    this.#shell.show(this.#session.phase);
  }

  #unmount(): void {
    const scope = this.#scope;
    if (!scope) return;
    // Put back, the element takes up what it was at.
    this.#isDue ||= this.#session.isRunning;
    this.#scope = null;
    this.#shell = null;
    // Put back, it tells again: the notice goes with the shell.
    this.#fault = null;
    this.#session.release();
    scope.dispose();
  }

  /** @param input undefined is what frameworks set for a property that they do not give any more */
  #setInput(input: DiarizationSource | string | null | undefined): void {
    this.#input = input === '' ? null : (input ?? null);
    this.#isDue = this.#input !== null;
    if (this.#input === null) {
      this.#session.cancel();
      this.#session.clear();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#scope) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#scope) return;
      this.#checkAttributes();
      // With attributes that cannot be used it waits for better ones.
      if (this.#isDue && this.#fault === null) this.#quietly(this.#start());
    });
  }

  /** Tells of attributes that cannot be used when they are set, not only when a run needs them. */
  #checkAttributes(): void {
    let error: VoxlaneError | null = null;
    try {
      this.#settings();
    } catch (thrown) {
      if (!(thrown instanceof VoxlaneError)) throw thrown;
      error = thrown;
    }
    if ((error?.problem ?? null) === this.#fault) return;
    this.#fault = error?.problem ?? null;
    this.#shell?.setNotice(error);
    if (error) this.dispatchEvent(new CustomEvent('error', { detail: error }));
  }

  #settings(): WidgetSettings {
    return readSettings((attribute: RunAttribute | 'theme') => this.getAttribute(attribute), this.#options);
  }

  #start(): Promise<DiarizationResult> {
    this.#isDue = false;
    const source = this.#input;
    if (source === null) return Promise.reject(noRecording());
    const name = nameOfSource(source) ?? wordsIn(languageOf(this)).recording;
    let settings: WidgetSettings;
    try {
      settings = this.#settings();
    } catch (thrown) {
      // Told by the notice; a run that was under way went on with the attributes of its time.
      this.#checkAttributes();
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
    this.#run = null;
    const run = this.#session.run({ source, name, settings });
    // Who heard of the run that this one ended may have started a newer one.
    this.#run ??= run;
    const forget = (): void => {
      if (this.#run === run) this.#run = null;
    };
    run.then(forget, forget);
    return run;
  }

  /** What is wrong is told by the event and shown. */
  #quietly(run: Promise<unknown>): void {
    run.catch(() => undefined);
  }

  /** A property that was set before the class was there hides the accessor: it is set again, through it. */
  #upgrade(name: (typeof UPGRADED)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value: unknown = this[name];
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, value);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'voxlane-diarizer': VoxlaneDiarizerElement;
  }
}
