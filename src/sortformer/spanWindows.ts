import type { StreamMode } from '../store/streamModes';
import { modeSizes, type StreamingSettings } from '../store/streamingSettings';
import type { StreamLogits } from './chunkLoop';
import { sigmoid } from './probabilities';

/** Longest window for an embedding, in seconds: that of the segmentation model with which the clustering was tuned. */
const MAX_WINDOW_SECONDS = 10;

/** Positions of the windows in which the identities of a recording are embedded. They do not overlap. A span is a number of windows. */
export interface SpanGeometry {
  /** Mel frames in a window. */
  readonly framesPerWindow: number;
  /** Windows in a span, in which the same frames identify the speakers. */
  readonly windowsPerSpan: number;
  readonly hopSamples: number;
  readonly sampleRate: number;
}

/**
 * Divides the cache spans of a recording into windows.
 *
 * In offline mode, a span is a chunk. Its frames are decided in one step, with one state of the speaker cache, and the next step has
 * a cache that was compressed again. In streaming modes, a span has as many frames as move from the FIFO to the cache at once, which
 * happens every 24 or 25 steps of the longest chunks. The windows of a span have equal lengths of whole encoder frames, the longest that do not
 * exceed 10 s.
 */
export function spanGeometry(settings: StreamingSettings, mode: StreamMode, hopSamples: number, sampleRate: number): SpanGeometry {
  const { chunkFrames, updatePeriodFrames } = modeSizes(settings, mode);
  const encoderFrames = mode === 'offline' ? chunkFrames : updatePeriodFrames;
  const spanFrames = encoderFrames * settings.melFramesPerEncoderFrame;
  const isShort = (count: number): boolean => (spanFrames / count) * hopSamples <= MAX_WINDOW_SECONDS * sampleRate;
  let windowsPerSpan = 1;
  while (windowsPerSpan < encoderFrames && (encoderFrames % windowsPerSpan !== 0 || !isShort(windowsPerSpan))) windowsPerSpan++;
  return { framesPerWindow: spanFrames / windowsPerSpan, windowsPerSpan, hopSamples, sampleRate };
}

/** A window with its decisions. */
export interface DecidedWindow {
  /** Axes (sample); zeros behind the end of the recording. */
  readonly samples: Float32Array;
  /** Axes (frame, identity), 0 or 1; 0 behind the end. */
  readonly activity: Uint8Array;
  /** Axes (frame): the identity with the highest logit, the first of equal ones. */
  readonly strongest: Uint8Array;
}

/** Collects samples and their logits, and cuts both into windows. Keeps the samples that have no logits yet. */
export class SpanWindows {
  private readonly windowSamples: number;
  private pieces: Float32Array[] = [];
  private activity: Uint8Array;
  private strongest: Uint8Array;
  /** Frames of the current window. */
  private filled = 0;

  /** @param threshold an identity is active if its probability is greater */
  constructor(
    private readonly geometry: SpanGeometry,
    private readonly numIdentities: number,
    private readonly threshold: number,
  ) {
    this.windowSamples = geometry.framesPerWindow * geometry.hopSamples;
    this.activity = new Uint8Array(geometry.framesPerWindow * numIdentities);
    this.strongest = new Uint8Array(geometry.framesPerWindow);
  }

  /** @param samples axes (sample): those that follow earlier ones; not to be changed later */
  addSamples(samples: Float32Array): void {
    this.pieces.push(samples);
  }

  /**
   * @param decided the frames that follow earlier ones
   * @returns the windows that are complete
   */
  decide({ logits, numFrames }: Pick<StreamLogits, 'logits' | 'numFrames'>): DecidedWindow[] {
    const { numIdentities, geometry } = this;
    const windows: DecidedWindow[] = [];
    for (let frame = 0; frame < numFrames; frame++) {
      const row = logits.subarray(frame * numIdentities, (frame + 1) * numIdentities);
      let best = 0;
      for (let identity = 0; identity < numIdentities; identity++) {
        if (sigmoid(row[identity]!) > this.threshold) this.activity[this.filled * numIdentities + identity] = 1;
        if (row[identity]! > row[best]!) best = identity;
      }
      this.strongest[this.filled] = best;
      if (++this.filled === geometry.framesPerWindow) windows.push(this.take());
    }
    return windows;
  }

  /** The last window, with zeros behind the end; null if there are no frames left. */
  finish(): DecidedWindow | null {
    return this.filled > 0 ? this.take() : null;
  }

  private take(): DecidedWindow {
    const window = { samples: this.takeSamples(), activity: this.activity, strongest: this.strongest };
    this.activity = new Uint8Array(this.activity.length);
    this.strongest = new Uint8Array(this.strongest.length);
    this.filled = 0;
    return window;
  }

  private takeSamples(): Float32Array {
    const samples = new Float32Array(this.windowSamples);
    let taken = 0;
    while (taken < samples.length) {
      const [first] = this.pieces;
      if (!first) break;
      const part = first.subarray(0, samples.length - taken);
      samples.set(part, taken);
      taken += part.length;
      if (part.length === first.length) this.pieces.shift();
      else this.pieces[0] = first.subarray(part.length);
    }
    return samples;
  }
}
