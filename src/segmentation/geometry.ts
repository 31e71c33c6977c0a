import type { SegmentationManifest } from '../store/manifest';
import { roundHalfEven } from '../util/values';

/** A regular series of segments of time, as `pyannote.core.SlidingWindow`, starting at 0. */
export interface SlidingWindow {
  /** Length of one segment, in seconds. */
  readonly durationSeconds: number;
  /** From the start of one segment to the start of the next, in seconds. */
  readonly stepSeconds: number;
}

/** How windows and frames of one recording lie on the time axis. */
export interface TimeGeometry {
  /** The windows that the models take. */
  readonly windows: SlidingWindow;
  /** Frames of the stitched recording: those of the model's receptive field. */
  readonly frames: SlidingWindow;
  /** Frames of one window. */
  readonly framesPerWindow: number;
}

/** The geometry that a segmentation model implies. */
export function timeGeometry(manifest: SegmentationManifest): TimeGeometry {
  const { sampleRate, receptiveField } = manifest;
  return {
    windows: {
      durationSeconds: manifest.windowSamples / sampleRate,
      stepSeconds: manifest.hopSamples / sampleRate,
    },
    frames: {
      durationSeconds: receptiveField.durationSamples / sampleRate,
      stepSeconds: receptiveField.stepSamples / sampleRate,
    },
    framesPerWindow: manifest.numFrames,
  };
}

/** Middle of a frame. Matches `SlidingWindow.__getitem__(frame).middle`. */
export function frameMiddleSeconds(frames: SlidingWindow, frame: number): number {
  const start = frame * frames.stepSeconds;
  return 0.5 * (start + (start + frames.durationSeconds));
}

/** The frame whose middle is nearest, halves to even. Matches `SlidingWindow.closest_frame`. */
export function closestFrame(frames: SlidingWindow, seconds: number): number {
  return roundHalfEven((seconds - 0.5 * frames.durationSeconds) / frames.stepSeconds);
}

/** Index, in the stitched recording, of the first frame of `window`. */
export function firstFrameOf({ windows, frames }: TimeGeometry, window: number): number {
  return closestFrame(frames, window * windows.stepSeconds + 0.5 * frames.durationSeconds);
}

/** Frames of a stitched recording of `numWindows` windows. Matches `Inference.aggregate`. */
export function totalFrames({ windows, frames }: TimeGeometry, numWindows: number): number {
  const end = windows.durationSeconds + (numWindows - 1) * windows.stepSeconds;
  return closestFrame(frames, end + 0.5 * frames.durationSeconds) + 1;
}

/** Where the frames of one stage's tensor lie in the recording that went in. */
export interface FrameClock {
  /** Middle of the first frame, in samples from the start; may be fractional. */
  readonly centerSamples: number;
  /** From one frame's middle to the next one's. */
  readonly stepSamples: number;
  /** Hertz. */
  readonly sampleRate: number;
}

/** Middle of a frame, in seconds from the start. */
export function secondsOfFrame({ centerSamples, stepSamples, sampleRate }: FrameClock, frame: number): number {
  return (centerSamples + frame * stepSamples) / sampleRate;
}
