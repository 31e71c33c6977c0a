import { firstFrameOf, type TimeGeometry, totalFrames } from '../segmentation/geometry';
import { roundHalfEven } from '../util/values';

/**
 * Number of active speakers in each frame of the recording: the mean over the windows that contain the frame, rounded.
 *
 * Matches `SpeakerDiarizationMixin.speaker_count` of pyannote.audio 4.0.7 without warm-up.
 *
 * @param activity axes (window, frame, local speaker), 0 or 1
 * @returns axes (recording frame)
 */
export function countSpeakers(activity: Uint8Array, numSpeakers: number, geometry: TimeGeometry): Uint8Array {
  const { framesPerWindow } = geometry;
  const numWindows = activity.length / (framesPerWindow * numSpeakers);
  const numFrames = totalFrames(geometry, numWindows);
  const sums = new Float64Array(numFrames);
  const windowsOver = new Float64Array(numFrames);
  for (let window = 0; window < numWindows; window++) {
    const first = firstFrameOf(geometry, window);
    for (let frame = 0; frame < framesPerWindow && first + frame < numFrames; frame++) {
      const start = (window * framesPerWindow + frame) * numSpeakers;
      for (let speaker = 0; speaker < numSpeakers; speaker++) sums[first + frame]! += activity[start + speaker]!;
      windowsOver[first + frame]! += 1;
    }
  }
  return Uint8Array.from(sums, (sum, frame) => (windowsOver[frame] ? roundHalfEven(sum / windowsOver[frame]) : 0));
}

/** Activity of every speaker in every frame of the recording. */
export interface DiscreteDiarization {
  /** Axes (recording frame, speaker), 0 or 1. */
  readonly data: Uint8Array;
  readonly numSpeakers: number;
}

interface StitchInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker): cluster of each local speaker; a negative value has no vote. */
  readonly hardClusters: Int32Array;
  readonly numLocalSpeakers: number;
  /** Axes (recording frame): number of active speakers. */
  readonly count: Uint8Array;
  readonly geometry: TimeGeometry;
}

/**
 * Stitches the windows: in each frame, the `count` speakers with the most votes are active.
 *
 * Matches `SpeakerDiarization.reconstruct` and `to_diarization` of pyannote.audio 4.0.7. If more speakers are active
 * than there are clusters, silent extra speakers are added, as in pyannote. The lower index wins a tie.
 */
export function reconstruct(input: StitchInput): DiscreteDiarization {
  return mostHeard(clusterVotes(input), input.count);
}

/** For each frame and speaker, the number of windows in which the speaker is active. */
interface Votes {
  /** Axes (recording frame, speaker). */
  readonly data: Uint16Array;
  /** The number of clusters, or the maximum of `count` if that is greater. */
  readonly numSpeakers: number;
}

/**
 * The `count` speakers with the most votes in each frame; the lower index wins a tie.
 *
 * @param count axes (recording frame), at most the number of speakers
 */
export function mostHeard({ data: votes, numSpeakers }: Votes, count: Uint8Array): DiscreteDiarization {
  const data = new Uint8Array(count.length * numSpeakers);
  for (let frame = 0; frame < count.length; frame++) {
    const row = frame * numSpeakers;
    for (let left = count[frame]!; left > 0; left--) {
      let best = -1;
      for (let place = row; place < row + numSpeakers; place++) {
        if (data[place] === 0 && (best < 0 || votes[place]! > votes[best]!)) best = place;
      }
      data[best] = 1;
    }
  }
  return { data, numSpeakers };
}

/** Counts the windows in which each cluster is active. */
export function clusterVotes({ activity, hardClusters, numLocalSpeakers, count, geometry }: StitchInput): Votes {
  const numClusters = hardClusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const numSpeakers = Math.max(numClusters, count.reduce((most, value) => Math.max(most, value), 0));
  const { framesPerWindow } = geometry;
  const numWindows = hardClusters.length / numLocalSpeakers;
  const votes = new Uint16Array(count.length * numSpeakers);
  for (let window = 0; window < numWindows; window++) {
    const first = firstFrameOf(geometry, window);
    const numFrames = Math.min(framesPerWindow, count.length - first);
    const start = window * numLocalSpeakers;
    for (let local = 0; local < numLocalSpeakers; local++) {
      const cluster = hardClusters[start + local]!;
      if (cluster < 0) continue;
      // Two local speakers of one cluster are one speaker: a window has one vote per cluster.
      const earlier = [...hardClusters.subarray(start, start + local).keys()].filter((other) => hardClusters[start + other] === cluster);
      let cell = window * framesPerWindow * numLocalSpeakers;
      for (let frame = 0; frame < numFrames; frame++, cell += numLocalSpeakers) {
        if (!activity[cell + local]) continue;
        if (earlier.length === 0 || !earlier.some((other) => activity[cell + other])) votes[(first + frame) * numSpeakers + cluster]! += 1;
      }
    }
  }
  return { data: votes, numSpeakers };
}
