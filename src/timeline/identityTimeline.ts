import { firstFrameOf, type TimeGeometry, totalFrames } from '../segmentation/geometry';
import type { DiscreteDiarization } from './reconstruct';

interface IdentityInput {
  /** Axes (window, frame, identity), 0 or 1. Windows do not overlap. */
  readonly activity: Uint8Array;
  /** Axes (window, frame): the identity with the highest score in each frame. Undefined: the first active one. */
  readonly strongest: Uint8Array | undefined;
  /** Axes (window, identity): speaker of each identity in each window; negative for none. */
  readonly hardClusters: Int32Array;
  readonly numIdentities: number;
  readonly geometry: TimeGeometry;
}

/** Speakers in each frame of the recording. */
interface IdentityTimeline {
  /** Number of active speakers; axes (recording frame). */
  readonly count: Uint8Array;
  readonly diarization: DiscreteDiarization;
  /** With at most one speaker per frame: that of the strongest identity. */
  readonly exclusive: DiscreteDiarization;
}

/**
 * Renames the identities of each window to speakers. A frame in which two identities of one speaker are active has this speaker
 * once.
 */
export function identityTimeline({ activity, strongest, hardClusters, numIdentities, geometry }: IdentityInput): IdentityTimeline {
  const { framesPerWindow } = geometry;
  const numWindows = hardClusters.length / numIdentities;
  const numFrames = totalFrames(geometry, numWindows);
  const numSpeakers = hardClusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const count = new Uint8Array(numFrames);
  const all = new Uint8Array(numFrames * numSpeakers);
  const single = new Uint8Array(numFrames * numSpeakers);
  for (let window = 0; window < numWindows; window++) {
    const first = firstFrameOf(geometry, window);
    for (let frame = 0; frame < framesPerWindow && first + frame < numFrames; frame++) {
      const cell = window * framesPerWindow + frame;
      const place = (first + frame) * numSpeakers;
      for (let identity = 0; identity < numIdentities; identity++) {
        const cluster = hardClusters[window * numIdentities + identity]!;
        if (!activity[cell * numIdentities + identity] || cluster < 0) continue;
        const isStrongest = strongest ? identity === strongest[cell] : count[first + frame] === 0;
        if (!all[place + cluster]) count[first + frame]!++;
        all[place + cluster] = 1;
        if (isStrongest) single[place + cluster] = 1;
      }
    }
  }
  return { count, diarization: { data: all, numSpeakers }, exclusive: { data: single, numSpeakers } };
}
