/** The part of the self-check for a network that computes mel frames. */
import type { CompareStage } from '../compare/modelCheck';
import type { GoldenStage } from '../compare/files/bundle';
import { uniform } from '../util/uniform';
import { concatenate } from '../util/values';
import type { FbankFacts } from './gpuMelFrames';
import { cpuFrontEnd } from './melFrontEnd';
import type { SampleBatch, StreamNetwork } from './network';
import { SampleFramer } from './sampleFramer';

const STAGE = 'fbank';
/** The bound of a feature of a port of this model. */
const FEATURE_ERROR = 2e-3;
/** Of an encoder frame, as a share of its root mean square. */
const MIN_COSINE = 0.99999;
/** The greatest of some thousand normally distributed errors is about 4 times their root mean square; 5 times has odds of 1 to 1,000. */
export const ROUNDED_PEAK = 5;
const ENCODER_FRAMES_PER_BATCH = 2;
const NUM_BATCHES = 2;
const SEED = 7;
const LOUDNESS = 0.1;
/** The second half of the sound. */
const QUIET = 1e-3;

interface FrontEndCheck {
  readonly stage: GoldenStage;
  /** Compares encoder frames computed from samples with those computed from the mel frames of the CPU. */
  readonly run: (network: StreamNetwork, compare: CompareStage) => Promise<void>;
}

/**
 * The check of the filterbank of a network: its encoder frames must be those of the CPU's mel frames. The goldens of the CPU are those
 * of its tests. Two batches, because only the first starts at the edge of a recording.
 *
 * Seeded weights of stacking have a root mean square of 1 / √inputs, so independent errors of the features keep their root mean square.
 */
export function frontEndCheck(facts: FbankFacts, { hiddenSize, melFramesPerEncoderFrame }: { readonly hiddenSize: number; readonly melFramesPerEncoderFrame: number }): FrontEndCheck {
  const frontEnd = cpuFrontEnd(facts);
  const framesPerBatch = ENCODER_FRAMES_PER_BATCH * melFramesPerEncoderFrame;
  const framer = new SampleFramer(frontEnd, framesPerBatch, framesPerBatch);
  const numSamples = (NUM_BATCHES * framesPerBatch + 1) * frontEnd.hopSamples;
  const sound = uniform(SEED, numSamples).map((value, i) => value * (i < numSamples / 2 ? LOUDNESS : QUIET));
  const batches: SampleBatch[] = [...framer.batches(sound)];
  const numFrames = NUM_BATCHES * ENCODER_FRAMES_PER_BATCH;
  const data = new Float32Array(numFrames * hiddenSize);
  const stage: GoldenStage = { name: STAGE, value: STAGE, axes: ['frame', 'channel'], shape: [numFrames, hiddenSize], data, tolerance: { maxAbs: ROUNDED_PEAK * FEATURE_ERROR, cosine: MIN_COSINE } };
  return {
    stage,
    run: async (network, compare) => {
      const actual: Float32Array[] = [];
      const expected: Float32Array[] = [];
      for (const batch of batches) {
        expected.push(await network.embed(await frontEnd.melFrames(batch.samples, batch.centerSamples, batch.numFrames)));
        actual.push(await network.embedSamples!(batch));
      }
      data.set(concatenate(expected));
      compare(STAGE, concatenate(actual));
    },
  };
}
