import type { Scope } from './scope';
import type { Segment } from '../util/segment';

/**
 * Reasons why the recording does not play. After `no-output` and `stopped` the user can try again; `unplayable` is
 * permanent: the browser cannot decode the file.
 */
export type PlaybackProblem = 'unplayable' | 'no-output' | 'stopped';

/**
 * Messages of browsers whose audio output failed. The HTML standard has no error code for that.
 *
 * - Firefox, without a device: code 3 (decode) and `OnMediaSinkAudioError`, in some versions after
 *   `NS_ERROR_DOM_MEDIA_MEDIASINK_ERR` or `NS_ERROR_DOM_MEDIA_CUBEB_INITIALIZATION_ERR`. `play()` resolves before that, the
 *   element does not pause, and its position goes on (seen in Firefox 153; dom/media/MediaDecoderStateMachine.cpp).
 * - Chromium, without a device: no error, it plays into a null sink (seen in Chromium 156). If a device fails later: code 3
 *   and `AUDIO_RENDERER_ERROR: audio render error` (media/renderers/audio_renderer_impl.cc, `OnRenderError`).
 */
const OUTPUT_FAILED = /MediaSink|CUBEB|AUDIO_RENDERER_ERROR/i;

/**
 * Messages of WebKit that do not distinguish a damaged file from a failed output. WebKitGTK continues without a device
 * (seen in 2.50) and reports any failed resource as code 2 (MediaPlayerPrivateGStreamer.cpp, `GST_RESOURCE_ERROR`).
 */
const SAYS_NOTHING = /^(media failed to decode)?$/i;

/** Classifies an error of a media element. */
function problemOfError({ code, message }: Pick<MediaError, 'code' | 'message'>): PlaybackProblem {
  if (OUTPUT_FAILED.test(message)) return 'no-output';
  if (code === MEDIA_ERR_SRC_NOT_SUPPORTED) return 'unplayable';
  if (code === MEDIA_ERR_DECODE && !SAYS_NOTHING.test(message)) return 'unplayable';
  return 'stopped';
}

/**
 * Why a call of `play()` did not start playback. Not problems of the recording: the browser requires a user gesture
 * (`blocked`), or a pause came first (`interrupted`).
 */
export type StartFailure = PlaybackProblem | 'blocked' | 'interrupted';

/** Classifies a rejection of `play()`. */
function failureOfStart(failure: unknown, error: MediaError | null): StartFailure {
  const name = failure instanceof DOMException ? failure.name : '';
  if (name === 'AbortError') return 'interrupted';
  if (name === 'NotAllowedError') return 'blocked';
  if (error) return problemOfError(error);
  return name === 'NotSupportedError' ? 'unplayable' : 'stopped';
}

/** As in `MediaError`, which exists in browsers only. */
const MEDIA_ERR_DECODE = 3;
const MEDIA_ERR_SRC_NOT_SUPPORTED = 4;

/** Limits of the playback rate. Browsers mute the sound beyond them. */
const SLOWEST = 0.5;
const FASTEST = 3;
/** Playback rates of the shuttle; each further press selects the next one. */
const FORWARD_SPEEDS = [1, 2, FASTEST] as const;
const REWIND_SPEEDS = [2, 4, 8] as const;

/**
 * Plays the sound of the recording. It keeps its own position, so that the playhead also moves for a recording that the
 * browser can decode for the models but not play.
 */
export class Player {
  readonly #audio = new Audio();
  readonly #duration: number;
  #position = 0;
  #problem: PlaybackProblem | null = null;
  #frame = 0;
  #rate = 1;
  #loop: Segment | null = null;
  /** Position where playback stops automatically; null to continue to the end. */
  #stopAt: number | null = null;
  /** Rewind speed in seconds per second; 0 while not rewinding. */
  #rewind = 0;
  #rewoundAt = 0;
  readonly #scope: Scope;
  /** Called once per frame during playback, and once after each seek, start or stop. */
  onChange: () => void = () => undefined;

  /** @param blob null if there is no recording: the position can be moved, but nothing plays */
  constructor(scope: Scope, blob: Blob | null, durationSeconds: number) {
    this.#scope = scope;
    this.#duration = durationSeconds;
    if (!blob) {
      this.#problem = 'unplayable';
      return;
    }
    const audio = this.#audio;
    const url = URL.createObjectURL(blob);
    audio.preload = 'auto';
    audio.preservesPitch = true;
    audio.src = url;
    const changed = (): void => {
      this.#changed();
    };
    // Hidden tabs have no animation frames; `timeupdate` ends segments there.
    for (const type of ['play', 'pause', 'seeked', 'ended', 'timeupdate'] as const) scope.on(audio, type, changed);
    scope.on(audio, 'error', () => {
      if (audio.error) this.#fail(problemOfError(audio.error));
    });
    scope.add(() => {
      cancelAnimationFrame(this.#frame);
      audio.pause();
      // An element that still references the file keeps all of it in memory.
      audio.removeAttribute('src');
      audio.load();
      URL.revokeObjectURL(url);
    });
  }

  get position(): number {
    return this.#position;
  }

  get playing(): boolean {
    return this.#problem === null && !this.#audio.paused && !this.#audio.ended;
  }

  /** Whether pressing Play can succeed. */
  get playable(): boolean {
    return this.#problem !== 'unplayable';
  }

  /** The reason why the recording does not play; null if none is known. */
  get problem(): PlaybackProblem | null {
    return this.#problem;
  }

  /** The selected playback rate; the pitch is preserved. The shuttle can be faster temporarily. */
  get rate(): number {
    return this.#rate;
  }

  setRate(rate: number): void {
    this.#rate = Math.min(Math.max(SLOWEST, rate), FASTEST);
    this.#audio.playbackRate = this.#rate;
    this.onChange();
  }

  /** The looped segment; null for none. */
  get looped(): Segment | null {
    return this.#loop;
  }

  /** Continues from the segment's start whenever its end is reached. A playhead outside the segment is not affected. */
  loop(segment: Segment | null): void {
    this.#loop = segment;
    if (segment) this.#stopAt = null;
    this.onChange();
  }

  seek(seconds: number): void {
    this.#stopAt = null;
    this.#moveTo(seconds);
    this.onChange();
  }

  skip(seconds: number): void {
    this.seek(this.#position + seconds);
  }

  playFrom(seconds: number): void {
    this.#endRewind();
    this.seek(seconds);
    void this.#play();
  }

  /** Plays a segment once and stops at its end. A seek continues playback past the end. */
  playSegment({ startSeconds, endSeconds }: Segment): void {
    this.playFrom(startSeconds);
    this.#stopAt = Math.min(endSeconds, this.#duration);
  }

  toggle(): void {
    if (this.playing || this.#rewind > 0) this.#pause();
    else void this.play();
  }

  /**
   * Plays from the current position; at the end, from the start.
   *
   * @returns why playback did not start; null if it did
   */
  play(): Promise<StartFailure | null> {
    this.#endRewind();
    if (!this.playing && this.#position >= this.#duration - 0.05) this.seek(0);
    return this.#play();
  }

  pause(): void {
    this.#pause();
  }

  /**
   * The J, K and L keys of video editors. 1 plays; each further call is faster. -1 goes one step back, then rewinds
   * without sound; each further call is faster. 0 stops and restores the selected rate.
   */
  shuttle(direction: -1 | 0 | 1): void {
    if (direction === 0) this.#pause();
    else if (direction === 1) this.#speedUp();
    else this.#slowDown();
  }

  #speedUp(): void {
    if (!this.playing) {
      this.#endRewind();
      this.toggle();
      return;
    }
    const now = this.#audio.playbackRate;
    this.#audio.playbackRate = FORWARD_SPEEDS.find((speed) => speed > now) ?? now;
    this.onChange();
  }

  #slowDown(): void {
    const now = this.#audio.playbackRate;
    if (this.playing && now > this.#rate) {
      const slower = FORWARD_SPEEDS.findLast((speed) => speed < now) ?? this.#rate;
      this.#audio.playbackRate = Math.max(this.#rate, slower);
      this.onChange();
      return;
    }
    const wasRewinding = this.#rewind > 0;
    this.#audio.pause();
    this.#stopAt = null;
    this.#rewind = REWIND_SPEEDS.find((speed) => speed > this.#rewind) ?? this.#rewind;
    if (wasRewinding) return;
    this.#rewoundAt = performance.now();
    this.#changed();
  }

  #moveTo(seconds: number): void {
    this.#position = Math.min(Math.max(0, seconds), this.#duration);
    // Seeking at every step of a rewind would make the element decode; it is set once at the end.
    if (this.playable && this.#rewind === 0) this.#audio.currentTime = this.#position;
  }

  #pause(): void {
    this.#endRewind();
    this.#stopAt = null;
    this.#audio.pause();
    this.onChange();
  }

  #endRewind(): void {
    if (this.#rewind === 0) return;
    this.#rewind = 0;
    this.#moveTo(this.#position);
  }

  async #play(): Promise<StartFailure | null> {
    if (!this.playable) return 'unplayable';
    if (this.#problem !== null) this.#reload();
    this.#audio.playbackRate = this.#rate;
    try {
      await this.#audio.play();
      return null;
    } catch (thrown) {
      const failure = failureOfStart(thrown, this.#audio.error);
      if (failure !== 'blocked' && failure !== 'interrupted') this.#fail(failure);
      return failure;
    }
  }

  #fail(problem: PlaybackProblem): void {
    if (this.#scope.disposed) return;
    this.#problem = problem;
    // Firefox continues without sound.
    this.#audio.pause();
    this.#changed();
  }

  /** Reloads the element: after an error, it does not reopen its file and the audio output by itself. */
  #reload(): void {
    this.#problem = null;
    this.#audio.load();
    this.#audio.currentTime = this.#position;
  }

  #changed(): void {
    cancelAnimationFrame(this.#frame);
    if (this.#scope.disposed) return;
    if (this.#rewind > 0) this.#rewindOn();
    else if (this.#problem === null && !this.#audio.seeking) this.#follow();
    this.onChange();
    if (this.playing || this.#rewind > 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#changed();
      });
    }
  }

  /** Takes the element's position, unless it has passed the end of the segment. */
  #follow(): void {
    const before = this.#position;
    const now = Math.min(this.#audio.currentTime, this.#duration);
    this.#position = now;
    if (this.#stopAt !== null && now >= this.#stopAt) {
      const end = this.#stopAt;
      this.#stopAt = null;
      this.#audio.pause();
      this.#moveTo(end);
    } else if (this.#loop && before < this.#loop.endSeconds && now >= this.#loop.endSeconds) {
      const atEnd = this.#audio.ended;
      this.#moveTo(this.#loop.startSeconds);
      // A loop up to the end of the recording: the element stopped by itself.
      if (atEnd) void this.#play();
    }
  }

  #rewindOn(): void {
    const now = performance.now();
    const seconds = ((now - this.#rewoundAt) / 1000) * this.#rewind;
    this.#rewoundAt = now;
    this.#moveTo(this.#position - seconds);
    if (this.#position === 0) this.#endRewind();
  }
}
