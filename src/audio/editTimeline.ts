/** An edit list as moves on the clock of the track. */
import type { Edit } from './layout/mp4';

/** A stretch of a track, and where it lies in the recording. All in seconds. */
export interface PlacedStretch {
  /** On the demuxer's clock. */
  readonly from: number;
  /** On the demuxer's clock; infinite: to the end. */
  readonly to: number;
  /** What is added to the demuxer's clock. */
  readonly shift: number;
}

/**
 * What is played, in order.
 *
 * mediabunny takes the first edit with media as the track's offset and passes over all that follow; its clock is that of
 * the first one here.
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
