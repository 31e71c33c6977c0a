import type { FbankGeometry, Features } from '../features/fbank';
import { type Core, coreMask } from './core';

/**
 * Selects the frames for the embedding of each local speaker: frames without overlap or, if there are too few of
 * them, all of the speaker's frames.
 *
 * Matches `SpeakerDiarization.get_embeddings(exclude_overlap=True)` of pyannote.audio 4.0.7.
 *
 * @param activity one window, axes (frame, local speaker), 0 or 1
 * @param minCleanFrames the non-overlapped frames are used if there are MORE than this number
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

/** Minimum number of non-overlapped frames. pyannote derives it from the embedding model's minimum input length. */
export function minCleanFrames(numFrames: number, windowSamples: number, minSamples: number): number {
  return Math.ceil((numFrames * minSamples) / windowSamples);
}

/**
 * Masks of a window's local speakers, like {@link embeddingMasks}, with the overlap limit derived from the window's
 * length.
 *
 * @param activity axes (frame, local speaker), 0 or 1
 * @param core restricts the masks; absent: they cover the whole window
 */
export function windowMasks(
  activity: Uint8Array,
  numSpeakers: number,
  windowSamples: number,
  minSamples: number,
  core?: Core,
): Uint8Array[] {
  const masks = embeddingMasks(activity, numSpeakers, minCleanFrames(activity.length / numSpeakers, windowSamples, minSamples));
  return core ? masks.map((mask) => coreMask(mask, core)) : masks;
}

/** One active frame: the mask of a speaker who is active throughout, for any number of frames. */
export const EVERY_FRAME = Uint8Array.of(1);

/**
 * Returns the feature frames of a mask, in ascending order.
 *
 * A mask frame is longer than a feature frame. Each feature frame uses the nearest mask frame, as in
 * `torch.nn.functional.interpolate(mode='nearest')`, also in float32.
 *
 * @param mask axes (mask frame), 0 or 1
 * @param numFrames number of feature frames of the window
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
 * Concatenates the features of the masked frames, optionally with their mean subtracted.
 *
 * @param features axes (frame, mel)
 * @param mask axes (mask frame), 0 or 1
 * @returns axes (used frame, mel); empty if no frame is used
 */
export function maskedFeatures(features: Features, mask: Uint8Array, subtractMean: boolean): Float32Array {
  return gatheredFeatures(features, usedFrames(mask, features.numFrames), subtractMean);
}

/**
 * Like {@link maskedFeatures}, with the frames in place of a mask.
 *
 * @param used feature frames, ascending
 */
export function gatheredFeatures({ data, numMelBins }: Features, used: Uint32Array, subtractMean: boolean): Float32Array {
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

/** Factor between the energies of two frames, far above the rounding of a feature. Speech and noise exceed it within some frames. */
const ENERGY_FACTOR = 1.1;
/** Mean square of a frame in [-1, 1] whose features are far above the floor of the logarithm. */
const AUDIBLE = 1e-12;

/**
 * Whether the features of some frames certainly differ: an audible frame has another energy than the first. False can
 * also mean that they differ in another way.
 *
 * @param samples of a window, axes (sample), float32 in [-1, 1]
 * @param used indices of the frames, in ascending order
 */
export function framesVary(samples: Float32Array, used: Uint32Array, { frameSamples, hopSamples, leadSamples }: Pick<FbankGeometry, 'frameSamples' | 'hopSamples' | 'leadSamples'>): boolean {
  /** Of the middle, because the window function is small at the edges; without the mean, which the filterbank removes. */
  const energyOf = (frame: number): number => {
    const start = Math.max(0, frame * hopSamples - leadSamples);
    const own = samples.subarray(start + frameSamples / 4, start + (3 * frameSamples) / 4);
    const mean = own.reduce((total, value) => total + value, 0) / own.length;
    return own.reduce((total, value) => total + (value - mean) ** 2, 0) / own.length;
  };
  const [first] = used;
  if (first === undefined) return false;
  const energy = energyOf(first);
  return used.some((frame) => {
    const own = energyOf(frame);
    const [less, more] = own < energy ? [own, energy] : [energy, own];
    return more > AUDIBLE && more > ENERGY_FACTOR * less;
  });
}
