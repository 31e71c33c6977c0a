import type { StartFailure } from '../ui-kit/player';
import { badProperty, nothingToPlay, notPlayed } from './errors';
import { ReflectingElement } from './reflectingElement';

/** The player of the shown result. */
export interface Playback {
  readonly positionSeconds: number;
  readonly isPlaying: boolean;
  /** @returns why playback did not start; null if it did */
  readonly play: () => Promise<StartFailure | null>;
  readonly pause: () => void;
  readonly seek: (seconds: number) => void;
}

/** Players of the elements that show a result. */
const playbacks = new WeakMap<PlayingElement, Playback>();
/** Positions that were set before there was a result. */
const waiting = new WeakMap<PlayingElement, number>();

/** Connects an element with the player of its result; null if it no longer shows one. */
export function connectPlayback(element: PlayingElement, playback: Playback | null): void {
  if (!playback) {
    playbacks.delete(element);
    return;
  }
  playbacks.set(element, playback);
  const seconds = waiting.get(element);
  waiting.delete(element);
  if (seconds !== undefined) playback.seek(seconds);
}

/** Playback of the recording, with the names of media elements. */
export abstract class PlayingElement extends ReflectingElement {
  /**
   * Position of playback in seconds; 0 without a result. A value outside the recording is moved to its start or end. A
   * value that is set before there is a result applies to the next one. A value that is not a number is an `error` event.
   */
  get currentTime(): number {
    return playbacks.get(this)?.positionSeconds ?? waiting.get(this) ?? 0;
  }
  set currentTime(seconds: number) {
    if (typeof seconds !== 'number' || !Number.isFinite(seconds)) {
      const error = badProperty('currentTime', String(seconds), 'a number of seconds');
      // Asynchronous, like the report of a wrong attribute: a listener may be added in the same task.
      queueMicrotask(() => this.dispatchEvent(new CustomEvent('error', { detail: error })));
      return;
    }
    const playback = playbacks.get(this);
    if (playback) playback.seek(seconds);
    else waiting.set(this, seconds);
  }

  /** Whether the recording is not playing. */
  get paused(): boolean {
    return playbacks.get(this)?.isPlaying !== true;
  }

  /**
   * Plays the recording from `currentTime`; from the start if it has ended. Resolves when playback begins.
   *
   * @throws VoxlaneError `options` without a result or a recording, `audio-unsupported` if the browser cannot play it,
   *   `backend-unavailable` without an audio device and, as in media elements, before the user has interacted with the page,
   *   `audio-decode` if playback failed, `cancelled` if `pause()` came first
   */
  async play(): Promise<void> {
    const playback = playbacks.get(this);
    if (!playback) throw nothingToPlay();
    const failure = await playback.play();
    if (failure !== null) throw notPlayed(failure);
  }

  /** Pauses playback; no effect if nothing is playing. */
  pause(): void {
    playbacks.get(this)?.pause();
  }
}
