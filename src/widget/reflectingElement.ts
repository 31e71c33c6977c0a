import type { DiarizationResult, DiarizerOptions, Progress } from '../engine/types';
import type { Turn } from '../timeline/turns';
import type { VoxlaneError } from '../util/errors';
import { THEME_NAMES, type WidgetTheme } from './settings';

/** Detail of a `rename` event. */
export interface SpeakerRename {
  /** Label of the speaker in the result, such as `SPEAKER_00`. */
  readonly speaker: string;
  /** Null: the name was removed, and the speaker has its numbered name again. */
  readonly name: string | null;
}

/**
 * Events of `<voxlane-diarizer>`.
 *
 * Like the events of media elements, they do not bubble: listen on the element. An `error` that reached the window
 * would look like an error of the page.
 */
export interface VoxlaneDiarizerEventMap extends Omit<HTMLElementEventMap, 'progress' | 'error' | 'timeupdate'> {
  /** A stage of the current run advanced. */
  progress: CustomEvent<Progress>;
  /** A run succeeded. */
  result: CustomEvent<DiarizationResult>;
  /** A run failed, or an attribute or a property has an invalid value. */
  error: CustomEvent<VoxlaneError>;
  /** A run was canceled: by the user, by `cancel()`, by another source, or because the element was removed. */
  cancel: Event;
  /** The user renamed a speaker. */
  rename: CustomEvent<SpeakerRename>;
  /** The position of playback changed: several times per second during playback, and after each seek, pause and end. */
  timeupdate: Event;
  /** The user chose a turn, in the timeline or in the list. Cancelable: if it is canceled, playback does not move. */
  turnclick: CustomEvent<Turn>;
}

/** `HTMLElement`; on a server, which has none, an unused class so that the module can be imported. */
export const ElementBase: typeof HTMLElement = (globalThis as { readonly HTMLElement?: typeof HTMLElement }).HTMLElement ?? (Object as unknown as typeof HTMLElement);

/** The properties of `<voxlane-diarizer>` that reflect attributes, and its typed events. */
export abstract class ReflectingElement extends ElementBase {
  /** URL of the recording, as in the attribute; empty if there is none. */
  get src(): string {
    return this.getAttribute('src') ?? '';
  }
  set src(value: string) {
    this.#reflect('src', value);
  }

  /** Selects the models. Reflects the attribute. */
  get preset(): NonNullable<DiarizerOptions['preset']> {
    return (this.getAttribute('preset') ?? 'auto') as NonNullable<DiarizerOptions['preset']>;
  }
  set preset(value: NonNullable<DiarizerOptions['preset']>) {
    this.#reflect('preset', value);
  }

  /** Amount of computation. Reflects the attribute. */
  get speed(): NonNullable<DiarizerOptions['speed']> {
    return (this.getAttribute('speed') ?? 'exact') as NonNullable<DiarizerOptions['speed']>;
  }
  set speed(value: NonNullable<DiarizerOptions['speed']>) {
    this.#reflect('speed', value);
  }

  /** Exact number of speakers; null to estimate it. Reflects the attribute. */
  get speakers(): number | null {
    return this.#number('speakers');
  }
  set speakers(value: number | null) {
    this.#reflect('speakers', value);
  }

  /** Minimum number of speakers; null for no bound. Reflects the attribute. */
  get minSpeakers(): number | null {
    return this.#number('min-speakers');
  }
  set minSpeakers(value: number | null) {
    this.#reflect('min-speakers', value);
  }

  /** Maximum number of speakers; null for no bound. Reflects the attribute. */
  get maxSpeakers(): number | null {
    return this.#number('max-speakers');
  }
  set maxSpeakers(value: number | null) {
    this.#reflect('max-speakers', value);
  }

  /** Minimum length of a turn in seconds; null for the preset's default. Reflects the attribute. */
  get minDurationOn(): number | null {
    return this.#number('min-duration-on');
  }
  set minDurationOn(value: number | null) {
    this.#reflect('min-duration-on', value);
  }

  /** Minimum gap between two turns of a speaker in seconds; null for the preset's default. Reflects the attribute. */
  get minDurationOff(): number | null {
    return this.#number('min-duration-off');
  }
  set minDurationOff(value: number | null) {
    this.#reflect('min-duration-off', value);
  }

  /** Audio track of a file, counted from 1; null for the default track of the file. Reflects the attribute. */
  get track(): number | null {
    return this.#number('track');
  }
  set track(value: number | null) {
    this.#reflect('track', value);
  }

  /** Sample rate in Hz if the source is samples; null for files. Reflects the attribute `sample-rate`. */
  get sampleRate(): number | null {
    return this.#number('sample-rate');
  }
  set sampleRate(value: number | null) {
    this.#reflect('sample-rate', value);
  }

  /** Backend that runs the models. Reflects the attribute. */
  get backend(): NonNullable<DiarizerOptions['backend']> {
    return (this.getAttribute('backend') ?? 'auto') as NonNullable<DiarizerOptions['backend']>;
  }
  set backend(value: NonNullable<DiarizerOptions['backend']>) {
    this.#reflect('backend', value);
  }

  /** Base URL of the models, as in the attribute; empty for the default. */
  get modelsBase(): string {
    return this.getAttribute('models-base') ?? '';
  }
  set modelsBase(value: string) {
    this.#reflect('models-base', value);
  }

  /** Color theme. Reflects the attribute; unknown values read as `auto`. */
  get theme(): WidgetTheme {
    return THEME_NAMES.find((name) => name === this.getAttribute('theme')) ?? 'auto';
  }
  set theme(value: WidgetTheme) {
    this.#reflect('theme', value);
  }

  /** Adds a listener; events of the widget have a typed `detail`. */
  override addEventListener<K extends keyof VoxlaneDiarizerEventMap>(
    type: K,
    listener: (this: this, event: VoxlaneDiarizerEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener as EventListener, options);
  }

  /** Removes a listener. */
  override removeEventListener<K extends keyof VoxlaneDiarizerEventMap>(
    type: K,
    listener: (this: this, event: VoxlaneDiarizerEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
  override removeEventListener(type: string, listener: unknown, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener as EventListener, options);
  }

  #number(attribute: string): number | null {
    const value = this.getAttribute(attribute);
    return value === null || value.trim() === '' ? null : Number(value);
  }

  /** @param value null or undefined removes the attribute; frameworks set undefined to remove a property */
  #reflect(attribute: string, value: string | number | null | undefined): void {
    if (value === null || value === undefined) this.removeAttribute(attribute);
    else this.setAttribute(attribute, String(value));
  }
}
