import { modeSizes, type StreamingSettings } from '../store/streamingSettings';
import type { StreamMode } from '../store/streamModes';

/** Sizes of the windows of centered mel frames, in samples. */
export interface FrameWindows {
  /** Distance between the centers of frames; the first center is the first sample of the recording. */
  readonly hopSamples: number;
  /** Length of the window; the FFT is at least as long. */
  readonly windowSamples: number;
  readonly fftSize: number;
}

/** Mel frames in the batches of a mode: the first has a chunk and its look-ahead, and each other one as many as a chunk. */
export function batchFrames(settings: StreamingSettings, mode: StreamMode): { readonly first: number; readonly later: number } {
  const { chunkFrames, lookAheadFrames } = modeSizes(settings, mode);
  const factor = settings.melFramesPerEncoderFrame;
  return { first: (chunkFrames + lookAheadFrames) * factor, later: chunkFrames * factor };
}

/**
 * Samples from the start of the recording with which a batch of mel frames is complete.
 *
 * As many as in `Nemotron3DiarizationProcessor`: `num_samples_first_audio_chunk`, and then the last of
 * `num_samples_per_audio_chunk`. For later batches, that is more than the window of the last frame needs. It decides whether a
 * recording ends with a whole chunk or with a longer last chunk.
 *
 * @param endFrame mel frame after the last one of the batch
 */
export function samplesOfBatch(endFrame: number, isFirst: boolean, { hopSamples, windowSamples, fftSize }: FrameWindows): number {
  const ofWindow = (endFrame - 1) * hopSamples + windowSamples / 2;
  return isFirst ? ofWindow : Math.max(ofWindow, endFrame * hopSamples + windowSamples - fftSize / 2);
}

/**
 * Lengths of consecutive blocks of samples such that each step of `mode` runs with the last sample that it needs: a block ends
 * there. Without an end.
 *
 * @param maxSamples longest block
 */
export function* blockLengths(settings: StreamingSettings, mode: StreamMode, windows: FrameWindows, maxSamples: number): Generator<number, never> {
  const { first, later } = batchFrames(settings, mode);
  let place = 0;
  for (let endFrame = first; ; endFrame += later) {
    const end = samplesOfBatch(endFrame, endFrame === first, windows);
    while (place < end) {
      const length = Math.min(end - place, maxSamples);
      place += length;
      yield length;
    }
  }
}
