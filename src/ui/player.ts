import type { Scope } from '../util/scope';

/**
 * The recording's sound. Keeps a position of its own, so that the playhead can be moved over a recording whose
 * format the browser can decode for the models but not play.
 */
export class Player {
  readonly #audio = new Audio();
  readonly #duration: number;
  #position = 0;
  #playable = true;
  #frame = 0;
  readonly #scope: Scope;
  /** Called for every frame while playing, and once after each seek, start or stop. */
  onChange: () => void = () => undefined;

  constructor(scope: Scope, blob: Blob, durationSeconds: number) {
    this.#scope = scope;
    this.#duration = durationSeconds;
    const audio = this.#audio;
    const url = URL.createObjectURL(blob);
    audio.preload = 'auto';
    audio.src = url;
    const changed = (): void => {
      this.#changed();
    };
    for (const type of ['play', 'pause', 'seeked', 'ended'] as const) scope.on(audio, type, changed);
    scope.on(audio, 'error', () => {
      this.#playable = false;
      this.#changed();
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
    return this.#playable && !this.#audio.paused && !this.#audio.ended;
  }

  get playable(): boolean {
    return this.#playable;
  }

  seek(seconds: number): void {
    this.#position = Math.min(Math.max(0, seconds), this.#duration);
    if (this.#playable) this.#audio.currentTime = this.#position;
    this.onChange();
  }

  skip(seconds: number): void {
    this.seek(this.#position + seconds);
  }

  playFrom(seconds: number): void {
    this.seek(seconds);
    this.#play();
  }

  toggle(): void {
    if (this.playing) this.#audio.pause();
    else if (this.#position >= this.#duration - 0.05) this.playFrom(0);
    else this.#play();
  }

  #play(): void {
    if (!this.#playable) return;
    this.#audio.play().catch((failure: unknown) => {
      // A pause or a seek that comes before the sound has begun rejects too, and is no fault of the file.
      if (failure instanceof DOMException && failure.name === 'NotSupportedError') {
        this.#playable = false;
        this.#changed();
      }
    });
  }

  #changed(): void {
    cancelAnimationFrame(this.#frame);
    if (this.#scope.disposed) return;
    if (this.#playable && !this.#audio.seeking) {
      this.#position = Math.min(this.#audio.currentTime, this.#duration);
    }
    this.onChange();
    if (this.playing) {
      this.#frame = requestAnimationFrame(() => {
        this.#changed();
      });
    }
  }
}
