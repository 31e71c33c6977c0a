/** Edit lists as stretches of the track's clock. */
import type { Edit } from './layout/mp4';

/** A stretch of a track, and where it lies in the recording. All in seconds. */
export interface PlacedStretch {
  /** On the demuxer's clock. */
  readonly from: number;
  /** On the demuxer's clock; infinite: to the end. */
  readonly to: number;
  /** Offset from the demuxer's clock to the recording's. */
  readonly shift: number;
}

/**
 * The stretches that are played, in order.
 *
 * mediabunny applies only the first edit with media, as the track's offset, so its clock is that of the first stretch.
 *
 * @returns null if there is nothing to play
 */
export function placeEdits(edits: readonly Edit[]): PlacedStretch[] | null {
  const playing = edits.filter((edit): edit is Edit & { mediaSeconds: number } => edit.mediaSeconds !== null);
  const [first] = playing;
  if (!first) return null;
  const offset = first.mediaSeconds - first.startSeconds;
  return playing.map(({ startSeconds, durationSeconds, mediaSeconds }) => {
    const from = mediaSeconds - offset;
    return { from, to: from + durationSeconds, shift: startSeconds - from };
  });
}
