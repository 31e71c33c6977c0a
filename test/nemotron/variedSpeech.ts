/** Speech of any length, made of a short recording: that of models/nemotron-3-diarization/narrow_goldens.py. */
import { uniform } from '../../src/util/uniform';

/** Seed of the first repetition. */
const NOISE_SEED = 8000;
const NOISE_LEVEL = Math.fround(0.005);

/**
 * One repetition of a recording: from another sample on, with another level, in every third repetition with a second copy that
 * talks at the same time, and with noise, so no two frames are equal.
 *
 * @param recording axes (sample), multiples of 1 / 32,768, so that the sums of its multiples by eighths are exact
 * @param block number of the repetition, from 0
 * @returns axes (sample), float32, as many as in the recording
 */
export function variedSpeech(recording: Float32Array, block: number): Float32Array {
  const { length } = recording;
  const first = (block * 126_719) % length;
  const level = (4 + (block % 5)) / 8;
  const second = (first + Math.floor(length / 3) + block * 1009) % length;
  const secondLevel = block % 3 === 1 ? (4 + ((3 * block) % 5)) / 8 : 0;
  const samples = uniform(NOISE_SEED + block, length);
  for (let i = 0; i < length; i++) {
    const speech = recording[(first + i) % length]! * level + recording[(second + i) % length]! * secondLevel;
    samples[i] = speech + Math.fround(samples[i]! * NOISE_LEVEL);
  }
  return samples;
}
