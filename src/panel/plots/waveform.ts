import type { Opened } from '../../engine/comparator';
import type { Scope } from '../../ui-kit/scope';
import { text } from '../text';
import { type Box, boxOf, createPlot, type PaintSource, type Pen, type PlotPaints } from './plot';

const HEIGHT = 64;
/** No separate axis: the heatmap's axis is below. */
const BOTTOM = 4;

type Waveform = NonNullable<Opened['waveform']>;

interface WaveformPlot {
  readonly element: HTMLElement;
  /** Draws the seconds from `start` to `end`, as in the heatmap. */
  readonly show: (waveform: Waveform, start: number, end: number) => void;
  /** Marks a time and the last played part. */
  readonly mark: (seconds: number | null, played: readonly [start: number, end: number] | null) => void;
}

/** Minimum and maximum sample of each pixel; null for pixels outside of the recording. */
export function peaks(
  { samples, sampleRate }: Waveform,
  start: number,
  end: number,
  pixels: number,
): readonly (readonly [least: number, greatest: number] | null)[] {
  return Array.from({ length: pixels }, (_, pixel) => {
    const secondsAt = (edge: number): number => start + (edge / pixels) * (end - start);
    const from = Math.max(0, Math.floor(secondsAt(pixel) * sampleRate));
    // At least one sample, if a pixel covers less.
    const to = Math.min(samples.length, Math.max(from + 1, Math.floor(secondsAt(pixel + 1) * sampleRate)));
    if (secondsAt(pixel + 1) <= 0 || from >= to) return null;
    let [least, greatest] = [Infinity, -Infinity];
    for (let index = from; index < to; index++) {
      const sample = samples[index]!;
      if (sample < least) least = sample;
      if (sample > greatest) greatest = sample;
    }
    return greatest < least ? null : [least, greatest];
  });
}

export function createWaveform(scope: Scope, paints: PaintSource, onSeconds: (seconds: number) => void): WaveformPlot {
  let shown: { readonly waveform: Waveform; readonly start: number; readonly end: number } | null = null;
  let moment: number | null = null;
  let part: readonly [number, number] | null = null;

  const plot = createPlot(
    scope,
    paints,
    'waveform',
    () => HEIGHT,
    (pen, size, colors) => {
      if (!shown) return;
      const { start, end } = shown;
      const box = boxOf(size, BOTTOM);
      const xOf = (seconds: number): number => box.left + ((seconds - start) / (end - start)) * (box.right - box.left);
      pen.fillStyle = colors.track;
      pen.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
      if (part) {
        const [from, to] = [Math.max(box.left, xOf(part[0])), Math.min(box.right, xOf(part[1]))];
        pen.globalAlpha = 0.25;
        pen.fillStyle = colors.accent;
        pen.fillRect(from, box.top, Math.max(0, to - from), box.bottom - box.top);
        pen.globalAlpha = 1;
      }
      paintPeaks(pen, box, shown.waveform, start, end, colors);
      if (moment !== null) {
        pen.fillStyle = colors.ink;
        pen.fillRect(Math.round(xOf(moment)) - 0.5, box.top, 2, box.bottom - box.top);
      }
    },
  );
  scope.on(plot.element, 'click', (event) => {
    if (!shown) return;
    const box = boxOf(plot.size(), BOTTOM);
    const part = (event.clientX - plot.element.getBoundingClientRect().left - box.left) / (box.right - box.left);
    onSeconds(shown.start + Math.min(1, Math.max(0, part)) * (shown.end - shown.start));
  });
  plot.element.classList.add('plot--clickable');

  return {
    element: plot.element,
    show(waveform, start, end) {
      shown = { waveform, start, end };
      plot.describe(text.detail.waveformAlternative(waveform.samples.length / waveform.sampleRate));
      plot.repaint();
    },
    mark(seconds, played) {
      if (seconds === moment && played === part) return;
      moment = seconds;
      part = played;
      plot.repaint();
    },
  };
}

function paintPeaks(pen: Pen, box: Box, waveform: Waveform, start: number, end: number, { ink, rule }: PlotPaints): void {
  const columns = peaks(waveform, start, end, Math.round(box.right - box.left));
  // The loudest peak fills the height, because features are computed from quiet recordings too.
  const loudest = columns.reduce((most, peak) => (peak ? Math.max(most, -peak[0], peak[1]) : most), 0);
  const middle = (box.top + box.bottom) / 2;
  const scale = loudest > 0 && Number.isFinite(loudest) ? (box.bottom - box.top) / 2 / loudest : 0;
  pen.fillStyle = rule;
  pen.fillRect(box.left, Math.round(middle), box.right - box.left, 1);
  pen.fillStyle = ink;
  pen.globalAlpha = 0.75;
  columns.forEach((peak, column) => {
    if (!peak) return;
    const top = middle - peak[1] * scale;
    pen.fillRect(box.left + column, top, 1, Math.max(1, (peak[1] - peak[0]) * scale));
  });
  pen.globalAlpha = 1;
}

/** Seconds to play around a time. */
const CLIP_SECONDS = 1;
/** Seconds of fade: audio that is cut off at full level clicks. */
const FADE_SECONDS = 0.01;

/** The part of a recording to play around a time: a whole second if possible. */
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

  /** `onChange` is called when playback starts or ends. */
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

  /** @returns the played part; null if the browser does not support this sample rate */
  play({ samples, sampleRate }: Waveform, seconds: number): readonly [start: number, end: number] | null {
    this.stop();
    const [start, end] = clipAround(seconds, samples.length / sampleRate);
    const part = samples.slice(Math.floor(start * sampleRate), Math.ceil(end * sampleRate));
    if (part.length === 0) return null;
    // Created on a click, because browsers mute a context created without user interaction.
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

/** Fades both ends, and scales 16-bit integer samples, which some models use, to full scale. */
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
