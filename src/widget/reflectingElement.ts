import type { DiarizationResult, DiarizerOptions, Progress } from '../engine/types';
import type { VoxlaneError } from '../util/errors';
import { THEME_NAMES, type WidgetTheme } from './settings';

/** A speaker got another name. */
export interface SpeakerRename {
  /** Label of the speaker in the result, such as `SPEAKER_00`. */
  readonly speaker: string;
  /** Null: the name was taken away, and the speaker is called by number again. */
  readonly name: string | null;
}

/**
 * Events of `<voxlane-diarizer>`.
 *
 * As those of media elements they do not bubble: listen on the element. An `error` that rose to the window would be taken
 * for a failure of the page.
 */
export interface VoxlaneDiarizerEventMap extends Omit<HTMLElementEventMap, 'progress' | 'error'> {
  /** A stage of the run under way got on. */
  progress: CustomEvent<Progress>;
  /** A run has ended well. */
  result: CustomEvent<DiarizationResult>;
  /** A run has failed, or an attribute has a value that cannot be used. */
  error: CustomEvent<VoxlaneError>;
  /** A run was cancelled: by the person, by `cancel()`, by another source, or because the element was removed. */
  cancel: Event;
  /** A person has given a speaker another name. */
  rename: CustomEvent<SpeakerRename>;
}

/** `HTMLElement`; on a server, where there are none, a class that nobody uses, so that the module can be imported there. */
export const ElementBase: typeof HTMLElement = (globalThis as { readonly HTMLElement?: typeof HTMLElement }).HTMLElement ?? (Object as unknown as typeof HTMLElement);

/** The properties of `<voxlane-diarizer>` that are its attributes, and its events with their types. */
export abstract class ReflectingElement extends ElementBase {
  /** Address of the recording, as the attribute has it; empty where there is none. */
  get src(): string {
    return this.getAttribute('src') ?? '';
  }
  set src(value: string) {
    this.#reflect('src', value);
  }

  /** Which models; reflects the attribute. */
  get preset(): NonNullable<DiarizerOptions['preset']> {
    return (this.getAttribute('preset') ?? 'auto') as NonNullable<DiarizerOptions['preset']>;
  }
  set preset(value: NonNullable<DiarizerOptions['preset']>) {
    this.#reflect('preset', value);
  }

  /** How much is computed; reflects the attribute. */
  get speed(): NonNullable<DiarizerOptions['speed']> {
    return (this.getAttribute('speed') ?? 'exact') as NonNullable<DiarizerOptions['speed']>;
  }
  set speed(value: NonNullable<DiarizerOptions['speed']>) {
    this.#reflect('speed', value);
  }

  /** Exact number of speakers; null where it is to be found. Reflects the attribute. */
  get speakers(): number | null {
    return this.#number('speakers');
  }
  set speakers(value: number | null) {
    this.#reflect('speakers', value);
  }

  /** Smallest number of speakers; null for no bound. Reflects the attribute. */
  get minSpeakers(): number | null {
    return this.#number('min-speakers');
  }
  set minSpeakers(value: number | null) {
    this.#reflect('min-speakers', value);
  }

  /** Largest number of speakers; null for no bound. Reflects the attribute. */
  get maxSpeakers(): number | null {
    return this.#number('max-speakers');
  }
  set maxSpeakers(value: number | null) {
    this.#reflect('max-speakers', value);
  }

  /** Shortest turn in seconds; null for the preset's default. Reflects the attribute. */
  get minDurationOn(): number | null {
    return this.#number('min-duration-on');
  }
  set minDurationOn(value: number | null) {
    this.#reflect('min-duration-on', value);
  }

  /** Shortest gap within a speaker's turns in seconds; null for the preset's default. Reflects the attribute. */
  get minDurationOff(): number | null {
    return this.#number('min-duration-off');
  }
  set minDurationOff(value: number | null) {
    this.#reflect('min-duration-off', value);
  }

  /** Audio track of a file, from 1 on; null for the one that the file marks. Reflects the attribute. */
  get track(): number | null {
    return this.#number('track');
  }
  set track(value: number | null) {
    this.#reflect('track', value);
  }

  /** Rate of samples in Hz, for a source that is samples; null if it is a file. Reflects the attribute `sample-rate`. */
  get sampleRate(): number | null {
    return this.#number('sample-rate');
  }
  set sampleRate(value: number | null) {
    this.#reflect('sample-rate', value);
  }

  /** Where the models run; reflects the attribute. */
  get backend(): NonNullable<DiarizerOptions['backend']> {
    return (this.getAttribute('backend') ?? 'auto') as NonNullable<DiarizerOptions['backend']>;
  }
  set backend(value: NonNullable<DiarizerOptions['backend']>) {
    this.#reflect('backend', value);
  }

  /** Address of the models, as the attribute has it; empty for the default. */
  get modelsBase(): string {
    return this.getAttribute('models-base') ?? '';
  }
  set modelsBase(value: string) {
    this.#reflect('models-base', value);
  }

  /** Colors; reflects the attribute. A value that there is not reads as `auto`. */
  get theme(): WidgetTheme {
    return THEME_NAMES.find((name) => name === this.getAttribute('theme')) ?? 'auto';
  }
  set theme(value: WidgetTheme) {
    this.#reflect('theme', value);
  }

  /** Listens for an event; those of the widget have a `detail` with a type. */
  override addEventListener<K extends keyof VoxlaneDiarizerEventMap>(
    type: K,
    listener: (this: this, event: VoxlaneDiarizerEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener as EventListener, options);
  }

  /** Listens no longer. */
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

  /** @param value null takes the attribute away; so does undefined, which frameworks set for a property that they do not give any more */
  #reflect(attribute: string, value: string | number | null | undefined): void {
    if (value === null || value === undefined) this.removeAttribute(attribute);
    else this.setAttribute(attribute, String(value));
  }
}
