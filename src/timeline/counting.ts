import { roundHalfEven } from '../util/round';
import { firstFrameOf, totalFrames, type TimeGeometry } from './geometry';

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
