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
 * Explanations of the whole error, each of which rules out those after it. The special before the general: a missing
 * logarithm's base is a factor too, a missing mean an offset, swapped directions of an LSTM an order of channels.
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

/** The same by running the stage, so only if nothing cheaper explains the error. */
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
  // After the epsilon, the groups and the statistics of a normalization, whose errors are scales of channels, too.
  otherBias,
  channelScale,
  lstmDirection,
  lstmGates,
  roundedWeights,
];

/**
 * What makes a stage wrong, most telling first; none where nothing that is known explains its error. Of a stage that is
 * right, whether it stays so in another run and at another batch size, if the context has these. Tensors of any rank and
 * values are welcome, empty, constant and not finite ones too.
 *
 * Throws only what a run of the context throws.
 */
export async function findCauses(context: CauseContext): Promise<readonly Cause[]> {
  const { actual, golden, axes, tolerance, offsetShare } = context;
  const isRight = judgeMeasures(measure(actual, golden, axes, null, offsetShare), tolerance) === 'pass';
  const unstable = await runToRun(context);
  // Runs that differ by themselves prove nothing about weights and batches.
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

/** Of values that are no numbers, or nothing but zeros, nothing else can be learned but whether the weights are there. */
function causesOfBroken(context: CauseContext, broken: Cause): readonly Cause[] {
  const unloaded = broken.values.side === 'ours' ? zeroWeights(context) : null;
  if (!unloaded) return [broken];
  return broken.id === 'all-zeros' ? [unloaded] : [unloaded, broken];
}

/** Of tensors of one shape. */
async function causesOfError(context: CauseContext): Promise<readonly Cause[]> {
  // Stated beside other causes, because it says where ours went, and not why.
  const equal = equalsStage(context);
  const beside = equal ? [equal] : [];
  for (const detect of equal ? EXPLANATIONS : [...EXPLANATIONS, ...RUN_EXPLANATIONS]) {
    const cause = await detect(context);
    if (cause) return [...beside, cause];
  }
  // Last, because an explanation of the whole error shows that the zeros belong there.
  const broken = zeroWeights(context) ?? infiniteWeight(context);
  return broken ? [...beside, broken] : beside;
}
