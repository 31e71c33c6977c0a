import { assignRows } from '../../src/util/assignment';
import { INACTIVE } from '../../src/clustering/localSpeakers';
import type { KeptVoices, Turn } from '../../src/index';
import { clusterVotes, countSpeakers, mostHeard } from '../../src/timeline/reconstruct';
import { firstFrameOf, frameMiddleSeconds, totalFrames } from '../../src/segmentation/geometry';
import { nameTurns, speakerLabels, turnsOf } from '../../src/timeline/turns';

/**
 * The turns of an ideal clustering: each window's local speakers are assigned to the true speakers with whom they share
 * the most frames. The remaining error is due to the segmentation.
 *
 * @param reference times in seconds from the start of the recording
 */
export function floorTurns(voices: KeptVoices, reference: readonly Turn[]): Turn[] {
  const { activity, numSpeakers, geometry, startSeconds } = voices;
  const { framesPerWindow } = geometry;
  const numWindows = activity.length / (framesPerWindow * numSpeakers);
  const truth = truthByFrame(reference, voices, numWindows);
  const hardClusters = new Int32Array(numWindows * numSpeakers).fill(INACTIVE);
  for (let window = 0; window < numWindows; window++) {
    const shared = new Float64Array(numSpeakers * truth.numSpeakers);
    const first = firstFrameOf(geometry, window);
    for (let frame = 0; frame < framesPerWindow; frame++) {
      for (let local = 0; local < numSpeakers; local++) {
        if (!activity[(window * framesPerWindow + frame) * numSpeakers + local]) continue;
        for (let speaker = 0; speaker < truth.numSpeakers; speaker++) {
          shared[local * truth.numSpeakers + speaker]! += truth.data[(first + frame) * truth.numSpeakers + speaker] ?? 0;
        }
      }
    }
    assignRows(shared, numSpeakers, truth.numSpeakers).forEach((speaker, local) => {
      if (speaker >= 0 && shared[local * truth.numSpeakers + speaker]! > 0) hardClusters[window * numSpeakers + local] = speaker;
    });
  }
  const clusters = hardClusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const count = countSpeakers(activity, numSpeakers, geometry).map((value) => Math.min(value, clusters));
  const votes = clusterVotes({ activity, hardClusters, numLocalSpeakers: numSpeakers, count, geometry });
  const turns = turnsOf(mostHeard(votes, count), geometry.frames);
  return nameTurns(turns, speakerLabels(turns), startSeconds);
}

/** Activity of the true speakers; axes (recording frame, speaker), 0 or 1. */
function truthByFrame(
  reference: readonly Turn[],
  { geometry, startSeconds }: KeptVoices,
  numWindows: number,
): { readonly data: Uint8Array; readonly numSpeakers: number } {
  const labels = [...new Set(reference.map(({ speaker }) => speaker))].sort();
  const numFrames = totalFrames(geometry, numWindows);
  const data = new Uint8Array(numFrames * labels.length);
  for (const turn of reference) {
    const speaker = labels.indexOf(turn.speaker);
    const { stepSeconds } = geometry.frames;
    const from = Math.max(0, Math.floor((turn.startSeconds - startSeconds) / stepSeconds) - 4);
    for (let frame = from; frame < numFrames; frame++) {
      const middle = startSeconds + frameMiddleSeconds(geometry.frames, frame);
      if (middle >= turn.endSeconds) break;
      if (middle >= turn.startSeconds) data[frame * labels.length + speaker] = 1;
    }
  }
  return { data, numSpeakers: labels.length };
}
