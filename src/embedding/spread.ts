import type { TimeGeometry } from '../timeline/geometry';
import { firstFrameOf } from '../timeline/geometry';
import { embeddingMasks } from './mask';

/** What a recording's windows hear, and the embeddings of those that were embedded. */
export interface SpreadInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN in windows that were not embedded. */
  readonly embeddings: Float32Array;
  readonly numSpeakers: number;
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  /** Axes (window), 1 where the window was embedded. */
  readonly embedded: Uint8Array;
  /** As the masks of the embedding have it. */
  readonly minCleanFrames: number;
}

/**
 * Embeddings for the windows between those that were embedded: windows overlap, so whoever talks in one talks in an
 * embedded one too, in the same frames. Each local speaker is given the mean embedding of the embedded local speakers
 * that share its frames, weighted by how many they share.
 *
 * @returns axes (window, local speaker, dimension); NaN for who shares no frame with anybody who has an embedding
 */
export function spreadEmbeddings(input: SpreadInput): Float32Array {
  const { activity, embeddings, embedded, minCleanFrames, numSpeakers, dimension, geometry } = input;
  const cells = geometry.framesPerWindow * numSpeakers;
  const numWindows = activity.length / cells;
  const reach = Math.ceil(geometry.windows.durationSeconds / geometry.windows.stepSeconds);
  const result = embeddings.slice();
  const masksOf = (window: number) =>
    embeddingMasks(activity.subarray(window * cells, (window + 1) * cells), numSpeakers, minCleanFrames);
  const anchorMasks = new Map<number, Uint8Array[]>();
  const sum = new Float64Array(dimension);
  for (let window = 0; window < numWindows; window++) {
    anchorMasks.delete(window - reach);
    if (embedded[window]) continue;
    const near: number[] = [];
    for (let other = Math.max(0, window - reach + 1); other < Math.min(numWindows, window + reach); other++) {
      if (embedded[other]) near.push(other);
    }
    for (const anchor of near) if (!anchorMasks.has(anchor)) anchorMasks.set(anchor, masksOf(anchor));
    for (const [speaker, mask] of masksOf(window).entries()) {
      sum.fill(0);
      let weight = 0;
      for (const anchor of near) {
        const shift = firstFrameOf(geometry, anchor) - firstFrameOf(geometry, window);
        for (const [other, otherMask] of anchorMasks.get(anchor)!.entries()) {
          const start = (anchor * numSpeakers + other) * dimension;
          if (Number.isNaN(embeddings[start]!)) continue;
          const shared = sharedFrames(mask, otherMask, shift);
          weight += shared;
          for (let i = 0; i < dimension && shared > 0; i++) sum[i]! += shared * embeddings[start + i]!;
        }
      }
      const row = (window * numSpeakers + speaker) * dimension;
      for (let i = 0; i < dimension; i++) result[row + i] = weight > 0 ? sum[i]! / weight : NaN;
    }
  }
  return result;
}

/** Frames in which both are on; `other` starts `shift` frames after `mask`, or before where it is negative. */
function sharedFrames(mask: Uint8Array, other: Uint8Array, shift: number): number {
  const end = Math.min(mask.length, other.length + shift);
  let count = 0;
  for (let frame = Math.max(0, shift); frame < end; frame++) count += mask[frame]! & other[frame - shift]!;
  return count;
}
