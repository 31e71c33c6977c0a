import type { DiarizationSource } from '../engine/run';
import type { DiarizationResult, DiarizerOptions } from '../engine/types';
import { Scope } from '../ui-kit/scope';
import { VoxlaneError } from '../util/errors';
import { noRecording, notConnected } from './errors';
import { type GivenResult, readNames, readResult, type ResultToShow, type ShownResult } from './givenResult';
import { connectPlayback, PlayingElement } from './playingElement';
import { readSettings, RUN_ATTRIBUTES, type RunAttribute, type WidgetSettings } from './settings';
import type { Phase } from './state/phase';
import { nameOfSource } from './state/recording';
import { type LoadEngine, Session } from './state/session';
import { sheetFor } from './styles/sheet';
import { createShell, type Shell } from './view/shell';
import { languageOf, wordsIn } from './words';

/** Frameworks set undefined to remove a property. */
const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Properties that a page may set before the element is defined. */
const UPGRADED = ['result', 'speakerNames', 'currentTime', 'src', 'source', 'options', 'preset', 'speed', 'speakers', 'minSpeakers', 'maxSpeakers', 'minDurationOn', 'minDurationOff', 'track', 'sampleRate', 'backend', 'modelsBase', 'theme'] as const;

const loadEngine: LoadEngine = async () => (await import('../engine/sharedDiarizer')).shareDiarizer;

/**
 * Analyzes a recording and shows who speaks when. The recording comes from a drop, the file button, an attribute or a
 * property. The user can play the result, name the speakers and export it. No data leaves the machine. With the property
 * `result`, it shows turns from a file or an earlier run instead.
 *
 * Widgets of a page with equal options share one engine, and their runs take turns. Removing a widget ends its run and
 * frees its resources. A widget that is inserted again works as before.
 *
 * @tagname voxlane-diarizer
 *
 * @attr {string} src - URL of a recording, relative to the page. Setting it starts the analysis.
 * @attr {'auto' | 'exact' | 'fast' | 'campplus' | 'community-1' | 'nemotron'} preset - Selects the models. Default `auto`.
 * @attr {'exact' | 'fast'} speed - Amount of computation. Default `exact`.
 * @attr {number} speakers - Exact number of speakers, 1 to 255. Excludes `min-speakers` and `max-speakers`.
 * @attr {number} min-speakers - Minimum number of speakers.
 * @attr {number} max-speakers - Maximum number of speakers.
 * @attr {number} min-duration-on - Minimum length of a turn in seconds; shorter turns are removed. Default: set by the preset.
 * @attr {number} min-duration-off - Minimum gap in seconds between two turns of a speaker; shorter gaps are filled. Default: set by the preset.
 * @attr {number} track - Audio track of a file, counted from 1. Default: the track marked as default in the file, or the first.
 * @attr {number} sample-rate - Sample rate in Hz. Required if the source is samples; ignored for files.
 * @attr {'auto' | 'webgpu' | 'wasm'} backend - Backend that runs the models. Default `auto`.
 * @attr {string} models-base - Base URL of the models: each manifest is at `<model id>/manifest.json`. Default: the files of `voxlane-assets`.
 * @attr {'auto' | 'light' | 'dark'} theme - Color theme. Default `auto`: the `color-scheme` of the surrounding page.
 * @attr {string} lang - Language of the element or of an ancestor: English or German.
 *
 * @fires {CustomEvent<Progress>} progress - A stage of the run advanced; `detail` is its progress. Does not bubble.
 * @fires {CustomEvent<DiarizationResult>} result - A run succeeded; `detail` is its result. Does not bubble.
 * @fires {CustomEvent<VoxlaneError>} error - A run failed, or an attribute or a property is invalid; `detail` is the error. Does not bubble.
 * @fires {Event} cancel - A run was canceled for any reason. Does not bubble.
 * @fires {CustomEvent<SpeakerRename>} rename - The user renamed a speaker. Does not bubble.
 * @fires {Event} timeupdate - `currentTime` changed: several times per second during playback, and after each seek, pause and end. Does not bubble.
 * @fires {CustomEvent<Turn>} turnclick - The user chose a turn; `detail` is the turn. Cancelable: if it is canceled, playback does not move. Does not bubble.
 *
 * @slot - Content above the button of the drop zone while there is no recording.
 * @slot footer - Content at the bottom, in every state.
 *
 * @csspart base - The whole widget.
 * @csspart dropzone - The drop zone, while there is no recording.
 * @csspart button - Every bordered button.
 * @csspart primary-button - The main button of a state.
 * @csspart progress - The progress bar.
 * @csspart progress-fill - The completed part of the progress bar.
 * @csspart header - Name of the recording and summary of the result.
 * @csspart player - Play button and clock.
 * @csspart play-button - The round play button.
 * @csspart notes - Notes about audio that was repaired, skipped or omitted.
 * @csspart tracks - The timeline with one track for each speaker.
 * @csspart playhead - The line at the current position.
 * @csspart speakers - The list of speakers beside the tracks.
 * @csspart speaker - One speaker.
 * @csspart speaker-name - The field with a speaker's name.
 * @csspart turns - The scrolling list of turns.
 * @csspart turn - One turn.
 * @csspart menu - The list of export formats.
 * @csspart error - The error message with its remedy.
 * @csspart notice - A line about an invalid attribute.
 *
 * @cssprop [--voxlane-accent] - Buttons, playhead, focus rings, bar.
 * @cssprop [--voxlane-accent-hover] - Accent color under the pointer.
 * @cssprop [--voxlane-accent-wash] - Background of the current turn, and of the drop zone during a drag.
 * @cssprop [--voxlane-on-accent] - Text on the accent color.
 * @cssprop [--voxlane-surface] - Background.
 * @cssprop [--voxlane-surface-raised] - Background of buttons, fields and menus.
 * @cssprop [--voxlane-track] - Background of tracks and the progress bar.
 * @cssprop [--voxlane-ink] - Text.
 * @cssprop [--voxlane-ink-muted] - Secondary text.
 * @cssprop [--voxlane-rule] - Thin lines.
 * @cssprop [--voxlane-rule-strong] - Borders of buttons and fields.
 * @cssprop [--voxlane-radius=4px] - Corners of buttons and fields.
 * @cssprop [--voxlane-radius-large=8px] - Corners of the widget.
 * @cssprop [--voxlane-sans] - Font family of text.
 * @cssprop [--voxlane-mono] - Font family of times.
 * @cssprop [--voxlane-unit=1rem] - Scales text, spacing and buttons together.
 * @cssprop [--voxlane-speaker-1] - Color of the first speaker.
 * @cssprop [--voxlane-speaker-2] - Color of the second speaker.
 * @cssprop [--voxlane-speaker-3] - Color of the third speaker.
 * @cssprop [--voxlane-speaker-4] - Color of the fourth speaker.
 * @cssprop [--voxlane-speaker-5] - Color of the fifth speaker.
 * @cssprop [--voxlane-speaker-6] - Color of the sixth speaker.
 * @cssprop [--voxlane-speaker-7] - Color of the seventh speaker.
 * @cssprop [--voxlane-speaker-8] - Color of the eighth speaker; the ninth uses the first color with a pattern.
 */
export class VoxlaneDiarizerElement extends PlayingElement {
  /** Attributes whose changes take effect. */
  static readonly observedAttributes: readonly string[] = ['src', ...RUN_ATTRIBUTES, 'theme', 'lang'];

  /** Owns everything that lives while the element is in a document; null otherwise. */
  #scope: Scope | null = null;
  #shell: Shell | null = null;
  readonly #session: Session;
  /** The current or last recording: a URL, or the recording itself. */
  #input: DiarizationSource | string | null = null;
  #options: DiarizerOptions = {};
  #run: Promise<DiarizationResult> | null = null;
  /** A source was set and its run has not started yet. Several changes in one task start one run. */
  #isDue = false;
  #isScheduled = false;
  /** The last reported problem of the attributes and properties; null while they are valid. */
  #fault: string | null = null;
  /** The result that the page has set, until another recording is analyzed. */
  #given: GivenResult | null = null;
  /** Names that the page has set, until there is a result for them. */
  #names: ReadonlyMap<string, string> | null = null;
  /** Errors of the last values of properties. */
  readonly #refused = new Map<'result' | 'speakerNames', VoxlaneError>();

  /** The engine is loaded with the first recording, not here. */
  constructor() {
    super();
    this.attachShadow({ mode: 'open', delegatesFocus: false });
    this.#session = new Session(loadEngine, {
      onPhase: (phase) => {
        this.#show(phase);
      },
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
   * The recording itself, in place of `src`: a file, its bytes, or mono samples. Setting it starts the analysis. The
   * last value set in `src` or `source` applies. Null removes the recording and its result.
   */
  get source(): DiarizationSource | null {
    return typeof this.#input === 'string' ? null : this.#input;
  }
  set source(value: DiarizationSource | null) {
    this.#setInput(value);
  }

  /**
   * Options of the library that have no attribute, such as `hub`, `runtime`, `goldens` or `threads`. They apply to the
   * next run. An attribute takes precedence over the option of the same name. Widgets share an engine only if their
   * options are equal.
   */
  get options(): DiarizerOptions {
    return this.#options;
  }
  set options(value: DiarizerOptions) {
    this.#options = isAbsent(value) ? {} : value;
  }

  /**
   * The shown result: that of the last successful run, or the one that was set. Null before the first. It is kept while
   * another recording is analyzed.
   *
   * Set a result of the library, an object with turns, an array of turns, or the text of an RTTM file to show it without a
   * run. As long as such a result is set, the recording in `src` or `source` is not analyzed but only played. Null removes
   * it; the recording is then analyzed. A value of another form is an `error` event, and the shown result stays.
   */
  get result(): ShownResult | null {
    return this.#session.last?.result ?? null;
  }
  set result(value: ResultToShow | ShownResult | null) {
    // A page that keeps the result of an event in its state sets it here again.
    if (value !== null && value === this.result) return;
    const given = this.#accept('result', () => (isAbsent(value) ? null : readResult(value)));
    if (given === undefined) return;
    const wasGiven = this.#given !== null;
    this.#given = given;
    if (given) this.#session.take(given, this.#name);
    else this.#session.clear();
    if (given) this.#isDue = true;
    else if (wasGiven) this.#isDue = this.#input !== null;
    this.#schedule();
  }

  /**
   * Names of speakers by label, set by the user or the page. Setting it replaces all names of the shown result; before
   * there is one, of the next. A value that is not an object of strings is an `error` event, and the names stay.
   */
  get speakerNames(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#names ?? this.#session.last?.memory.names ?? []);
  }
  set speakerNames(value: Readonly<Record<string, string>> | null) {
    const names = this.#accept('speakerNames', () => (isAbsent(value) ? new Map<string, string>() : readNames(value)));
    if (!names) return;
    this.#names = names;
    this.#schedule();
  }

  /** Whether a run is in progress or queued behind the run of another widget. */
  get running(): boolean {
    return this.#session.isRunning;
  }

  /**
   * Cancels the current run and analyzes a recording: `source`, or by default that of the property `source` or `src`.
   * If that recording is already being analyzed, the promise of its run is returned.
   *
   * @throws VoxlaneError `options` without a recording or with an invalid attribute, `disposed` while the element is
   *   not in a document, `cancelled`, and the errors of `Diarizer.diarize`
   */
  diarize(source?: DiarizationSource): Promise<DiarizationResult> {
    if (source === undefined && !this.#isDue && this.#run) return this.#run;
    if (!this.#scope) return Promise.reject(notConnected());
    if (source !== undefined) this.#input = source;
    this.#given = null;
    return this.#start();
  }

  /** Ends the current run, if there is one; its promise rejects with `cancelled`. */
  cancel(): void {
    this.#isDue = false;
    this.#session.cancel();
  }

  /**
   * Called by the browser when the element is inserted into a document: renders it and starts the analysis of `src`.
   */
  connectedCallback(): void {
    if (!this.#isInPage) return;
    if (this.#scope) {
      // The element was moved: the inherited language may differ.
      this.#shell?.setLanguage(wordsIn(languageOf(this)));
      return;
    }
    for (const name of UPGRADED) this.#upgrade(name);
    this.#mount();
    this.#schedule();
  }

  /** Called by the browser when the element is removed: ends its run, unless the element is only moved. */
  disconnectedCallback(): void {
    // A moved element is connected again before this microtask runs.
    queueMicrotask(() => {
      if (!this.#isInPage) this.#unmount();
    });
  }

  /** Called by the browser when the element is moved to another document: adopts the style sheet of that document. */
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

  /** A document without a window, such as that of a template, renders nothing and cannot adopt the sheet of another document. */
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
        // Another recording: the names and turns of the page belong to the previous one.
        this.#given = null;
        this.#names = null;
        this.source = file;
      },
      cancel: () => {
        this.cancel();
      },
      retry: () => {
        this.#given = null;
        this.#quietly(this.#start());
      },
      back: () => {
        this.#session.showLast();
      },
      hasResult: () => this.#session.last !== null,
      renamed: (detail) => this.dispatchEvent(new CustomEvent('rename', { detail })),
      turnClicked: (detail) => this.dispatchEvent(new CustomEvent('turnclick', { detail, cancelable: true })),
      timeUpdated: () => this.dispatchEvent(new Event('timeupdate')),
      shown: (playback) => {
        connectPlayback(this, playback);
      },
    });
    this.#show(this.#session.phase);
  }

  #unmount(): void {
    const scope = this.#scope;
    if (!scope) return;
    // An interrupted run starts again when the element is inserted again.
    this.#isDue ||= this.#session.isRunning || this.#session.isOpening;
    this.#scope = null;
    this.#shell = null;
    // The notice is part of the shell: report the problem again after insertion.
    this.#fault = null;
    this.#session.release();
    scope.dispose();
  }

  /** @param input frameworks set undefined to remove a property */
  #setInput(input: DiarizationSource | string | null | undefined): void {
    this.#input = input === '' ? null : (input ?? null);
    this.#isDue = this.#input !== null || this.#given !== null;
    if (this.#input === null && this.#given === null) {
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
      if (this.#isDue && this.#given) this.#showGiven(this.#given);
      // With invalid attributes, the run waits until they change.
      else if (this.#isDue && this.#fault === null) this.#quietly(this.#start());
      this.#applyNames();
    });
  }

  #showGiven(given: GivenResult): void {
    this.#isDue = false;
    const track = this.track;
    void this.#session.showGiven({ given, source: this.#input, name: this.#name, track: track !== null && track > 0 ? track : undefined });
  }

  /** Names wait while a result is on its way: they are for that result. */
  #applyNames(): void {
    const outcome = this.#session.last;
    if (!this.#names || !outcome || this.#isDue || this.#session.isRunning || this.#session.isOpening) return;
    outcome.memory.names = this.#names;
    this.#names = null;
    this.#shell?.showNames();
  }

  #show(phase: Phase): void {
    if (phase.kind === 'done') this.#applyNames();
    this.#shell?.show(phase);
  }

  /** Reads a value of a property; undefined, and an event, if it is invalid. */
  #accept<Value>(property: 'result' | 'speakerNames', read: () => Value): Value | undefined {
    try {
      const value = read();
      this.#refused.delete(property);
      return value;
    } catch (thrown) {
      if (!(thrown instanceof VoxlaneError)) throw thrown;
      this.#refused.set(property, thrown);
      this.#schedule();
      return undefined;
    }
  }

  /** Display name of the current recording. */
  get #name(): string {
    return (this.#input === null ? null : nameOfSource(this.#input)) ?? wordsIn(languageOf(this)).recording;
  }

  /** Reports invalid attributes as soon as they are set, not only when a run starts. */
  #checkAttributes(): void {
    let [error = null] = this.#refused.values();
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
    let settings: WidgetSettings;
    try {
      settings = this.#settings();
    } catch (thrown) {
      // The notice shows the error. A current run continues with its old attributes.
      this.#checkAttributes();
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
    this.#run = null;
    const run = this.#session.run({ source, name: this.#name, settings });
    // A listener for the end of the previous run may have started a newer run.
    this.#run ??= run;
    const forget = (): void => {
      if (this.#run === run) this.#run = null;
    };
    run.then(forget, forget);
    return run;
  }

  /** The error event and the view already report the failure. */
  #quietly(run: Promise<unknown>): void {
    run.catch(() => undefined);
  }

  /** A property set before the class was defined hides the accessor. Set it again through the accessor. */
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
