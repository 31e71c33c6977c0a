import type { SegmentationManifest } from '../store/manifest';

/**
 * The core of an embedded window: the frames that are closer to its center than to that of another embedded window. The
 * cores of a recording do not overlap and leave no gaps.
 */
export interface Core {
  /** First frame. */
  readonly from: number;
  /** Frame after the last. */
  readonly to: number;
  /** A local speaker with fewer frames in the core, and more of them on one side of it, is not embedded. */
  readonly minFrames: number;
  /** If a local speaker has fewer frames in the core, the frames nearest to the core are added. */
  readonly enoughFrames: number;
}

/** A speaker with this much speech in the core is embedded in any case. Higher values merge speakers with short turns. */
const MIN_SECONDS = 1;
/** With less, the embeddings of a speaker differ so much that half a minute can have too many speakers. */
const ENOUGH_SECONDS = 3;

/**
 * The core of a window if one window of each `hop` is embedded, and the last one.
 *
 * @param window index of an embedded window
 * @param isLast whether it is the last window of the recording; its core starts where the one before ends
 */
export function coreOf(
  window: number,
  isLast: boolean,
  hop: number,
  { numFrames, windowSamples, hopSamples, sampleRate }: Pick<SegmentationManifest, 'numFrames' | 'windowSamples' | 'hopSamples' | 'sampleRate'>,
): Core {
  const framesPerSample = numFrames / windowSamples;
  const frameAt = (samples: number): number => Math.round(samples * framesPerSample);
  const margin = (windowSamples - hop * hopSamples) / 2;
  // Windows since the embedded window before.
  const distance = window % hop === 0 ? hop : window % hop;
  return {
    from: window === 0 ? 0 : frameAt(windowSamples - margin - distance * hopSamples),
    to: isLast ? numFrames : frameAt(windowSamples - margin),
    minFrames: frameAt(MIN_SECONDS * sampleRate),
    enoughFrames: frameAt(ENOUGH_SECONDS * sampleRate),
  };
}

/**
 * Restricts the mask of a local speaker to the core of its window.
 *
 * @param mask axes (frame), 0 or 1
 * @returns axes (frame), 0 or 1; empty if the embedded window before or after has most of the speaker's frames
 */
export function coreMask(mask: Uint8Array, { from, to, minFrames, enoughFrames }: Core): Uint8Array {
  const frames = [...mask.keys()].filter((frame) => mask[frame]);
  const before = frames.filter((frame) => frame < from).length;
  const after = frames.filter((frame) => frame >= to).length;
  const inside = frames.length - before - after;
  const result = new Uint8Array(mask.length);
  if (inside < minFrames && Math.max(before, after) > inside) return result;
  const distance = (frame: number): number => Math.max(0, from - frame, frame - to + 1);
  const nearest = frames.toSorted((a, b) => distance(a) - distance(b));
  for (const frame of nearest.slice(0, Math.max(inside, enoughFrames))) result[frame] = 1;
  return result;
}
