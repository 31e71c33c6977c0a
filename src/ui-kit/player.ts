import type { Scope } from './scope';
import type { Segment } from './tracks/model';

/**
 * Why nothing plays. After `no-output` and `stopped` the person can try again; `unplayable` is
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
 * Messages of WebKit, which says the same for a damaged file and for a failed output. WebKitGTK plays on without a device
 * (seen in 2.50) and reports any failed resource as code 2 (MediaPlayerPrivateGStreamer.cpp, `GST_RESOURCE_ERROR`).
 */
const SAYS_NOTHING = /^(media failed to decode)?$/i;

/** What an error of a media element means. */
export function problemOfError({ code, message }: Pick<MediaError, 'code' | 'message'>): PlaybackProblem {
  if (OUTPUT_FAILED.test(message)) return 'no-output';
  if (code === MEDIA_ERR_SRC_NOT_SUPPORTED) return 'unplayable';
  if (code === MEDIA_ERR_DECODE && !SAYS_NOTHING.test(message)) return 'unplayable';
  return 'stopped';
}

/** What a rejection of `play()` means; null if it is no fault. */
export function problemOfRejection(failure: unknown, error: MediaError | null): PlaybackProblem | null {
  const name = failure instanceof DOMException ? failure.name : '';
  // A pause or a seek came before the sound began, or the browser wants a click first.
  if (name === 'AbortError' || name === 'NotAllowedError') return null;
  if (error) return problemOfError(error);
  return name === 'NotSupportedError' ? 'unplayable' : 'stopped';
}

/** As in `MediaError`, which exists in browsers only. */
const MEDIA_ERR_DECODE = 3;
const MEDIA_ERR_SRC_NOT_SUPPORTED = 4;

/** How fast a recording can be played, as a factor. Beyond, browsers mute the sound. */
export const SLOWEST = 0.5;
export const FASTEST = 3;
/** Seconds of the recording for each second, with a shuttle; each further press takes the next. */
const FORWARD_SPEEDS = [1, 2, FASTEST] as const;
const REWIND_SPEEDS = [2, 4, 8] as const;

/**
 * The recording's sound. Keeps a position of its own, so that the playhead can be moved over a recording whose
 * format the browser can decode for the models but not play.
 */
export class Player {
  readonly #audio = new Audio();
  readonly #duration: number;
  #position = 0;
  #problem: PlaybackProblem | null = null;
  #frame = 0;
  #rate = 1;
  #loop: Segment | null = null;
  /** Where playing stops by itself; null where it goes on. */
  #stopAt: number | null = null;
  /** Seconds per second, while the recording is run backwards; 0 while it is not. */
  #rewind = 0;
  #rewoundAt = 0;
  readonly #scope: Scope;
  /** Called for every frame while playing, and once after each seek, start or stop. */
  onChange: () => void = () => undefined;

  constructor(scope: Scope, blob: Blob, durationSeconds: number) {
    this.#scope = scope;
    this.#duration = durationSeconds;
    const audio = this.#audio;
    const url = URL.createObjectURL(blob);
    audio.preload = 'auto';
    audio.preservesPitch = true;
    audio.src = url;
    const changed = (): void => {
      this.#changed();
    };
    // In a hidden tab there are no frames; there `timeupdate` sees to it that a segment ends.
    for (const type of ['play', 'pause', 'seeked', 'ended', 'timeupdate'] as const) scope.on(audio, type, changed);
    scope.on(audio, 'error', () => {
      if (audio.error) this.#fail(problemOfError(audio.error));
    });
    scope.add(() => {
      cancelAnimationFrame(this.#frame);
      audio.pause();
      // An element that still points at the file keeps all of it in memory.
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

  /** Whether pressing Play can help. */
  get playable(): boolean {
    return this.#problem !== 'unplayable';
  }

  /** Why nothing plays; null if nothing is known to stand in the way. */
  get problem(): PlaybackProblem | null {
    return this.#problem;
  }

  /** Speed that was chosen, as a factor; the pitch stays. A shuttle can be faster for a while. */
  get rate(): number {
    return this.#rate;
  }

  setRate(rate: number): void {
    this.#rate = Math.min(Math.max(SLOWEST, rate), FASTEST);
    this.#audio.playbackRate = this.#rate;
    this.onChange();
  }

  /** The segment that is played over and over; null while none is. */
  get looped(): Segment | null {
    return this.#loop;
  }

  /** Plays on from the segment's start whenever its end is reached. A playhead that is outside runs on as ever. */
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
    this.#play();
  }

  /** Plays a segment once, and stops at its end. A seek before that lets it run on. */
  playSegment({ startSeconds, endSeconds }: Segment): void {
    this.playFrom(startSeconds);
    this.#stopAt = Math.min(endSeconds, this.#duration);
  }

  toggle(): void {
    if (this.playing || this.#rewind > 0) this.#pause();
    else if (this.#position >= this.#duration - 0.05) this.playFrom(0);
    else this.#play();
  }

  /**
   * The keys J, K and L of cutting rooms. 1 plays, and faster each further time. -1 takes one such step back, then runs
   * backwards without sound, and faster each further time. 0 stops, and the speed is the chosen one again.
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
    // While rewinding, each seek would make the element decode; it gets the place where that ends.
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

  #play(): void {
    if (!this.playable) return;
    if (this.#problem !== null) this.#reload();
    this.#audio.playbackRate = this.#rate;
    this.#audio.play().catch((failure: unknown) => {
      const problem = problemOfRejection(failure, this.#audio.error);
      if (problem) this.#fail(problem);
    });
  }

  #fail(problem: PlaybackProblem): void {
    if (this.#scope.disposed) return;
    this.#problem = problem;
    // Firefox runs on without sound.
    this.#audio.pause();
    this.#changed();
  }

  /** An element with an error opens its file and the audio output anew only if it is made to. */
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

  /** Takes the element's position, unless that has passed the end of what is to be played. */
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
      // A loop up to the recording's end: the element has stopped by itself.
      if (atEnd) this.#play();
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
