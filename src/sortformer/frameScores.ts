import type { CacheSettings, ScoreCounts } from '../store/streamingSettings';
import { topk } from './topk';

const { fround } = Math;

const LOG_HALF = Math.log(0.5);
const STRONG_BOOST = fround(-2 * LOG_HALF);
const WEAK_BOOST = fround(-LOG_HALF);

/** Frames that compete for the cache. */
export interface Candidates {
  /** Axes (encoder frame, speaker), float32, 0 to 1. */
  readonly probabilities: Float32Array;
  readonly numFrames: number;
  readonly numSpeakers: number;
  /** Frames from this one on are new in the cache. */
  readonly firstNewFrame: number;
}

/**
 * Importance of each frame for each speaker: high if only this speaker talks, -Infinity if it does not, or if enough other
 * frames are better. Frames that are new, and the best frames of each speaker, get boosts.
 *
 * Matches `_get_frame_scores` and `_boost_scores` of `Nemotron3DiarizationSpeakerCache`, each operation rounded to float32.
 * Logarithms are rounded correctly. Those of PyTorch depend on the processor, by one unit in the last place.
 *
 * @returns axes (speaker, encoder frame), float32
 */
export function frameScores(candidates: Candidates, settings: CacheSettings, counts: ScoreCounts): Float32Array[] {
  const { numFrames, firstNewFrame } = candidates;
  const scores = baseScores(candidates, settings.scoreThreshold);
  const latestBoost = fround(settings.latestFramesBoost);
  for (const row of scores) {
    excludeWeak(row, counts.minPositive);
    for (let frame = firstNewFrame; frame < numFrames; frame++) row[frame]! += latestBoost;
    for (const frame of topk(row, counts.strongBoosts)) row[frame]! += STRONG_BOOST;
    for (const frame of topk(row, counts.weakBoosts)) row[frame]! += WEAK_BOOST;
  }
  return scores;
}

/** log(p / (1 - p)) + Σ log(1 - p of each speaker) - log(1/2), with bounded logarithms; -Infinity without speech. */
function baseScores({ probabilities, numFrames, numSpeakers }: Candidates, threshold: number): Float32Array[] {
  const scores = Array.from({ length: numSpeakers }, () => new Float32Array(numFrames));
  const complements = new Float32Array(numSpeakers);
  const boundedLog = (value: number): number => fround(Math.log(Math.max(value, fround(threshold))));
  for (let frame = 0; frame < numFrames; frame++) {
    const ofFrame = probabilities.subarray(frame * numSpeakers, (frame + 1) * numSpeakers);
    let sum = 0;
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      complements[speaker] = boundedLog(fround(1 - ofFrame[speaker]!));
      sum = fround(sum + complements[speaker]!);
    }
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      const probability = ofFrame[speaker]!;
      const ratio = fround(boundedLog(probability) - complements[speaker]!);
      scores[speaker]![frame] = probability > 0.5 ? fround(ratio + sum) - fround(LOG_HALF) : -Infinity;
    }
  }
  return scores;
}

/** If a speaker has enough positive scores, frames in which others talk too do not compete. */
function excludeWeak(row: Float32Array, minPositive: number): void {
  const numPositive = row.reduce((sum, score) => sum + (score > 0 ? 1 : 0), 0);
  if (numPositive < minPositive) return;
  for (const [frame, score] of row.entries()) if (!(score > 0)) row[frame] = -Infinity;
}
