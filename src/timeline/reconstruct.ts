import { firstFrameOf, type TimeGeometry, totalFrames } from '../segmentation/geometry';
import { roundHalfEven } from '../util/values';

/**
 * How many people talk in each frame of the recording: the mean over the windows that see the frame, rounded.
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

export interface StitchInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker): cluster of each local speaker; below 0 it has no vote. */
  readonly hardClusters: Int32Array;
  readonly numLocalSpeakers: number;
  /** Axes (recording frame): how many people talk. */
  readonly count: Uint8Array;
  readonly geometry: TimeGeometry;
}

/**
 * Stitches the windows: in each frame the `count` speakers that most windows hear are active.
 *
 * Matches `SpeakerDiarization.reconstruct` and `to_diarization` of pyannote.audio 4.0.7. Where more people talk
 * than there are clusters, silent extra speakers are added, as there. The lower index wins a tie.
 */
export function reconstruct(input: StitchInput): DiscreteDiarization {
  return mostHeard(clusterVotes(input), input.count);
}

/** In each frame, how many windows hear each speaker. */
export interface Votes {
  /** Axes (recording frame, speaker). */
  readonly data: Uint16Array;
  /** One for each cluster, and as many more as talk at once at most. */
  readonly numSpeakers: number;
}

/**
 * The `count` speakers of each frame that most windows hear; the lower index wins a tie.
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

/** Counts the windows that hear each cluster. */
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
      // Two local speakers of one cluster are one voice: a window has one vote per cluster.
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
