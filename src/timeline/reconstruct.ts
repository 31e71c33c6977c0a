import { firstFrameOf, type TimeGeometry } from './geometry';

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
  const { count, hardClusters } = input;
  const numClusters = hardClusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const numSpeakers = Math.max(numClusters, count.reduce((most, value) => Math.max(most, value), 0));
  const votes = clusterVotes(input, numSpeakers);
  const data = new Uint8Array(count.length * numSpeakers);
  const order: number[] = [];
  for (let frame = 0; frame < count.length; frame++) {
    const active = count[frame]!;
    if (active === 0) continue;
    const row = frame * numSpeakers;
    for (let speaker = 0; speaker < numSpeakers; speaker++) order[speaker] = speaker;
    order.sort((a, b) => votes[row + b]! - votes[row + a]! || a - b);
    for (let rank = 0; rank < active; rank++) data[row + order[rank]!] = 1;
  }
  return { data, numSpeakers };
}

/** In each frame, how many windows hear each cluster; axes (recording frame, speaker). */
function clusterVotes(input: StitchInput, numSpeakers: number): Uint16Array {
  const { activity, hardClusters, numLocalSpeakers, count, geometry } = input;
  const { framesPerWindow } = geometry;
  const numWindows = hardClusters.length / numLocalSpeakers;
  const votes = new Uint16Array(count.length * numSpeakers);
  const heard: number[] = [];
  for (let window = 0; window < numWindows; window++) {
    const first = firstFrameOf(geometry, window);
    for (let frame = 0; frame < framesPerWindow && first + frame < count.length; frame++) {
      // Two local speakers of one cluster are one voice: a window has one vote per cluster.
      heard.length = 0;
      for (let local = 0; local < numLocalSpeakers; local++) {
        const cluster = hardClusters[window * numLocalSpeakers + local]!;
        if (cluster < 0 || heard.includes(cluster)) continue;
        if (activity[(window * framesPerWindow + frame) * numLocalSpeakers + local]) heard.push(cluster);
      }
      const row = (first + frame) * numSpeakers;
      for (const cluster of heard) votes[row + cluster]! += 1;
    }
  }
  return votes;
}
