import type { Features } from '../features/fbank';

/**
 * The frames of each local speaker that its embedding is computed from: those in which nobody else talks,
 * unless these are too few, then all of the speaker's frames.
 *
 * Matches `SpeakerDiarization.get_embeddings(exclude_overlap=True)` of pyannote.audio 4.0.7.
 *
 * @param activity one window, axes (frame, local speaker), 0 or 1
 * @param minCleanFrames the non-overlapped frames are used where there are MORE than this many
 * @returns masks, axes (local speaker, frame), 0 or 1
 */
export function embeddingMasks(activity: Uint8Array, numSpeakers: number, minCleanFrames: number): Uint8Array[] {
  const numFrames = activity.length / numSpeakers;
  const active = (frame: number, speaker: number) => activity[frame * numSpeakers + speaker]!;
  const overlapped = Uint8Array.from({ length: numFrames }, (_, frame) => {
    let count = 0;
    for (let speaker = 0; speaker < numSpeakers; speaker++) count += active(frame, speaker);
    return count > 1 ? 1 : 0;
  });
  return Array.from({ length: numSpeakers }, (_, speaker) => {
    const all = Uint8Array.from({ length: numFrames }, (_, frame) => active(frame, speaker));
    const clean = all.map((value, frame) => (overlapped[frame] ? 0 : value));
    return sum(clean) > minCleanFrames ? clean : all;
  });
}

/** Fewest non-overlapped frames, as pyannote derives them from the embedding model's shortest input. */
export function minCleanFrames(numFrames: number, windowSamples: number, minSamples: number): number {
  return Math.ceil((numFrames * minSamples) / windowSamples);
}

/**
 * The masks of a window's local speakers, as {@link embeddingMasks}, with the rule for overlap from the window's length.
 *
 * @param activity axes (frame, local speaker), 0 or 1
 */
export function windowMasks(activity: Uint8Array, numSpeakers: number, windowSamples: number, minSamples: number): Uint8Array[] {
  return embeddingMasks(activity, numSpeakers, minCleanFrames(activity.length / numSpeakers, windowSamples, minSamples));
}

/** One frame, on: the mask of somebody who talks throughout, of any number of frames. */
export const EVERY_FRAME = Uint8Array.of(1);

/**
 * The feature frames that a mask's frames stand for, in rising order.
 *
 * The mask's frames are wider than the feature frames: each feature frame takes the nearest mask frame, as
 * `torch.nn.functional.interpolate(mode='nearest')` computes it, in float32 like there.
 *
 * @param mask axes (mask frame), 0 or 1
 * @param numFrames feature frames of the window
 */
export function usedFrames(mask: Uint8Array, numFrames: number): Uint32Array {
  const scale = Math.fround(mask.length / numFrames);
  const used: number[] = [];
  for (let frame = 0; frame < numFrames; frame++) {
    const source = Math.min(Math.floor(Math.fround(frame * scale)), mask.length - 1);
    if (mask[source]) used.push(frame);
  }
  return Uint32Array.from(used);
}

/**
 * The features of the masked frames, concatenated, with the mean over them subtracted.
 *
 * @param features axes (frame, mel)
 * @param mask axes (mask frame), 0 or 1
 * @returns axes (used frame, mel); empty where the mask is
 */
export function maskedFeatures(features: Features, mask: Uint8Array, subtractMean: boolean): Float32Array {
  const { data, numFrames, numMelBins } = features;
  const used = usedFrames(mask, numFrames);
  const result = new Float32Array(used.length * numMelBins);
  used.forEach((frame, row) => {
    result.set(data.subarray(frame * numMelBins, (frame + 1) * numMelBins), row * numMelBins);
  });
  if (subtractMean) subtractColumnMeans(result, numMelBins);
  return result;
}

function subtractColumnMeans(matrix: Float32Array, numColumns: number): void {
  const numRows = matrix.length / numColumns;
  for (let column = 0; column < numColumns; column++) {
    let mean = 0;
    for (let row = 0; row < numRows; row++) mean += matrix[row * numColumns + column]!;
    mean /= numRows;
    for (let row = 0; row < numRows; row++) {
      matrix[row * numColumns + column] = matrix[row * numColumns + column]! - mean;
    }
  }
}

function sum(values: Uint8Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
