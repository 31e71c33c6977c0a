import { hasShape, judgeMeasures, measure } from '../measure';
import type { Cause } from '../report';
import { otherActivation, otherSlope } from './activation';
import { attentionScale, causalMask, interleavedHeads, packedHeads, queryKeySwapped, softmaxAxis } from './attention';
import { batchStatistics, normGroups, otherEpsilon } from './normalization';
import { negatedWeight, otherBias, roundedWeights, weightTransposed, zeroPoint } from './weights';
import { channelOrder, channelScale } from './channels';
import type { CauseContext, Detector } from './context';
import { convKernel, otherPadding, otherPooling, poolingSize, resizeMode } from './convolution';
import { doublePreprocessing, fbankSettings, missingMean, sampleScale } from './preprocessing';
import { equalsStage, frameCount, permutedAxes, shiftedFrames } from './layout';
import {
  allZeros,
  batchDependent,
  float16Overflow,
  infiniteWeight,
  nanWeight,
  notFinite,
  runToRun,
  zeroWeights,
} from './values';
import { gruVariant, lstmDirection, lstmGates } from './recurrent';
import { logBase, offset, scaled, scaledAndOffset } from './scale';

/**
 * Detectors that explain the whole error; each rules out those after it. Special causes come before general ones: a wrong
 * base of a logarithm is also a factor, a missing mean an offset, swapped LSTM directions a channel order.
 */
const EXPLANATIONS: readonly Detector[] = [
  fbankSettings,
  missingMean,
  sampleScale,
  logBase,
  scaled,
  offset,
  scaledAndOffset,
  shiftedFrames,
  (context) => lstmDirection({ ...context, rerun: null }),
  channelOrder,
];

/** Detectors that run the stage. They apply only if nothing cheaper explains the error. */
const RUN_EXPLANATIONS: readonly Detector[] = [
  batchDependent,
  weightTransposed,
  otherEpsilon,
  normGroups,
  softmaxAxis,
  attentionScale,
  causalMask,
  queryKeySwapped,
  interleavedHeads,
  packedHeads,
  convKernel,
  otherPadding,
  otherPooling,
  gruVariant,
  batchStatistics,
  resizeMode,
  doublePreprocessing,
  otherActivation,
  otherSlope,
  negatedWeight,
  zeroPoint,
  // After the epsilon, the groups and the statistics of a normalization, whose errors are also channel scales.
  otherBias,
  channelScale,
  lstmDirection,
  lstmGates,
  roundedWeights,
];

/**
 * Finds the causes of a wrong stage, the most specific first; empty if nothing known explains its error. For a correct
 * stage, reports if it changes in another run or at another batch size, if the context can check this. Tensors may have any
 * rank and any values, including empty, constant and non-finite ones.
 *
 * @throws errors of the context's runs
 */
export async function findCauses(context: CauseContext): Promise<readonly Cause[]> {
  const { actual, golden, axes, tolerance, offsetShare } = context;
  const isRight = judgeMeasures(measure(actual, golden, axes, null, offsetShare), tolerance) === 'pass';
  const unstable = await runToRun(context);
  // If runs differ from each other, they prove nothing about weights and batches.
  const usable = unstable ? { ...context, otherBatch: null, rerun: null, graph: null } : context;
  const others = isRight ? [await batchDependent(usable)] : await causesOfValues(usable);
  return [unstable, ...others].filter((cause) => cause !== null);
}

async function causesOfValues(context: CauseContext): Promise<readonly Cause[]> {
  const broken = float16Overflow(context) ?? notFinite(context) ?? nanWeight(context) ?? allZeros(context);
  if (broken) return causesOfBroken(context, broken);
  const layout = permutedAxes(context);
  if (layout) {
    const { cause, golden, isAll } = layout;
    return isAll ? [cause] : [cause, ...(await causesOfError({ ...context, golden }))];
  }
  if (!hasShape(context.actual, context.golden.shape)) {
    const cause = (await poolingSize(context)) ?? frameCount(context);
    return cause ? [cause] : [];
  }
  return causesOfError(context);
}

/** If values are not finite or all zero, only missing weights can be detected. */
function causesOfBroken(context: CauseContext, broken: Cause): readonly Cause[] {
  const unloaded = broken.values.side === 'ours' ? zeroWeights(context) : null;
  if (!unloaded) return [broken];
  return broken.id === 'all-zeros' ? [unloaded] : [unloaded, broken];
}

/** For tensors of the same shape. */
async function causesOfError(context: CauseContext): Promise<readonly Cause[]> {
  // Reported beside other causes: it shows where our values went, but not why.
  const equal = equalsStage(context);
  const beside = equal ? [equal] : [];
  for (const detect of equal ? EXPLANATIONS : [...EXPLANATIONS, ...RUN_EXPLANATIONS]) {
    const cause = await detect(context);
    if (cause) return [...beside, cause];
  }
  // Last, because an explanation of the whole error shows that the zeros are correct.
  const broken = zeroWeights(context) ?? infiniteWeight(context);
  return broken ? [...beside, broken] : beside;
}
