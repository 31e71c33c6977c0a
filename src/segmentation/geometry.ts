import type { SegmentationManifest } from '../store/manifest';
import { roundHalfEven } from '../util/values';

/** A regular series of time segments that starts at 0, like `pyannote.core.SlidingWindow`. */
export interface SlidingWindow {
  /** Length of one segment, in seconds. */
  readonly durationSeconds: number;
  /** Distance between the starts of consecutive segments, in seconds. */
  readonly stepSeconds: number;
  /** Steps per second if it is a whole number: positions are then rounded once, so frame 57 of 10 ms is at 0.57 s. */
  readonly stepsPerSecond?: number;
}

/** Position of the windows and frames of a recording on the time axis. */
export interface TimeGeometry {
  /** Windows of the models. */
  readonly windows: SlidingWindow;
  /** Frames of the stitched recording, spaced like the model's receptive fields. */
  readonly frames: SlidingWindow;
  /** Number of frames per window. */
  readonly framesPerWindow: number;
}

/** The geometry of a segmentation model. */
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

/** Center of a frame. Matches `SlidingWindow.__getitem__(frame).middle`. */
export function frameMiddleSeconds(frames: SlidingWindow, frame: number): number {
  if (frames.stepsPerSecond !== undefined) return frame / frames.stepsPerSecond + 0.5 * frames.durationSeconds;
  const start = frame * frames.stepSeconds;
  return 0.5 * (start + (start + frames.durationSeconds));
}

/** The frame with the nearest center; halves are rounded to even. Matches `SlidingWindow.closest_frame`. */
export function closestFrame(frames: SlidingWindow, seconds: number): number {
  return roundHalfEven((seconds - 0.5 * frames.durationSeconds) / frames.stepSeconds);
}

/** Index, in the stitched recording, of the first frame of `window`. */
export function firstFrameOf({ windows, frames }: TimeGeometry, window: number): number {
  return closestFrame(frames, window * windows.stepSeconds + 0.5 * frames.durationSeconds);
}

/** Number of frames of a stitched recording with `numWindows` windows. Matches `Inference.aggregate`. */
export function totalFrames({ windows, frames }: TimeGeometry, numWindows: number): number {
  const end = windows.durationSeconds + (numWindows - 1) * windows.stepSeconds;
  return closestFrame(frames, end + 0.5 * frames.durationSeconds) + 1;
}

/** Position of the frames of a stage's tensor in the input recording. */
export interface FrameClock {
  /** Center of the first frame, in samples from the start; may be fractional. */
  readonly centerSamples: number;
  /** Distance between the centers of consecutive frames. */
  readonly stepSamples: number;
  /** In Hz. */
  readonly sampleRate: number;
}

/** Center of a frame, in seconds from the start. */
export function secondsOfFrame({ centerSamples, stepSamples, sampleRate }: FrameClock, frame: number): number {
  return (centerSamples + frame * stepSamples) / sampleRate;
}
