import type { Scope } from '../../../util/scope';
import type { Waveform } from './waveform';

/** What is played around a moment. */
const CLIP_SECONDS = 1;
/** Sound that is cut off at full strength clicks. */
const FADE_SECONDS = 0.01;

/** The part of a recording that is heard around a moment: a whole second where the recording has one. */
export function clipAround(seconds: number, durationSeconds: number): readonly [start: number, end: number] {
  const length = Math.min(CLIP_SECONDS, durationSeconds);
  const start = Math.min(Math.max(0, seconds - length / 2), durationSeconds - length);
  return [start, start + length];
}

/** Plays short parts of a recording. */
export class ClipPlayer {
  readonly #onChange: () => void;
  #context: AudioContext | null = null;
  #source: AudioBufferSourceNode | null = null;

  /** `onChange` is called when a part begins or ends. */
  constructor(scope: Scope, onChange: () => void) {
    this.#onChange = onChange;
    scope.add(() => {
      this.stop();
      void this.#context?.close();
    });
  }

  get isPlaying(): boolean {
    return this.#source !== null;
  }

  /** @returns the part that plays; null where the browser cannot play this sample rate */
  play({ samples, sampleRate }: Waveform, seconds: number): readonly [start: number, end: number] | null {
    this.stop();
    const [start, end] = clipAround(seconds, samples.length / sampleRate);
    const part = samples.slice(Math.floor(start * sampleRate), Math.ceil(end * sampleRate));
    if (part.length === 0) return null;
    // Made by a click and not before: browsers keep a context silent that nobody asked for.
    this.#context ??= new AudioContext();
    const context = this.#context;
    void context.resume();
    let buffer: AudioBuffer;
    try {
      buffer = context.createBuffer(1, part.length, sampleRate);
    } catch {
      return null;
    }
    buffer.copyToChannel(part, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(faded(context, part, end - start)).connect(context.destination);
    source.onended = () => {
      if (this.#source === source) this.#ended();
    };
    this.#source = source;
    source.start();
    this.#onChange();
    return [start, end];
  }

  stop(): void {
    const source = this.#source;
    if (!source) return;
    source.onended = null;
    source.stop();
    this.#ended();
  }

  #ended(): void {
    this.#source = null;
    this.#onChange();
  }
}

/** Soft at both ends, and not above full scale where samples are 16-bit integers as some models take them. */
function faded(context: AudioContext, part: Float32Array, seconds: number): GainNode {
  const loudest = part.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1);
  const gain = context.createGain();
  const now = context.currentTime;
  const fade = Math.min(FADE_SECONDS, seconds / 2);
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(1 / loudest, now + fade);
  gain.gain.setValueAtTime(1 / loudest, now + seconds - fade);
  gain.gain.linearRampToValueAtTime(0, now + seconds);
  return gain;
}
