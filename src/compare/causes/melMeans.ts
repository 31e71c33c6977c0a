import type { Cause } from '../report';
import type { CauseContext } from './context';
import { along, distance, errorText, explains, fittedText, leavesText, MIN_VALUES } from './proof';
import { offset } from './scale';

/**
 * What remains of a mean over frames that was subtracted, as a share of one that was not. Rounding leaves some 1e-7;
 * more is left where the mean was taken over other frames.
 */
const MAX_MEAN_LEFT = 0.02;

/** Logarithm of the power that 16-bit integers have above samples in [-1, 1]: 20.79. */
const INT16_LOG_POWER = 2 * Math.log(32768);

/** The mean over frames was subtracted from one side's mel bins only. Needs no recording: one side's means are zero. */
export function missingMean(context: CauseContext): Cause | null {
  const { actual, golden, axes } = context;
  const frame = along(actual, axes, ['frame']);
  if (!frame || !axes.includes('mel') || frame.size < MIN_VALUES) return null;
  const { blocks, size, stride } = frame;
  /** Means over frames, axes (block, rest). */
  const meansOf = (data: Float32Array): Float64Array => {
    const means = new Float64Array(blocks * stride);
    for (let i = 0; i < data.length; i++) means[binOf(i)]! += data[i]! / size;
    return means;
  };
  const binOf = (index: number): number => Math.floor(index / (size * stride)) * stride + (index % stride);
  const ours = meansOf(actual.data);
  const theirs = meansOf(golden.data);
  const error = distance(actual.data, golden.data);
  const left = distance(actual.data, golden.data, (value, index) => value + theirs[binOf(index)]! - ours[binOf(index)]!);
  const [ourNorm, goldenNorm] = [Math.hypot(...ours), Math.hypot(...theirs)];
  // One number for all bins is an offset, whatever the means are.
  if (!explains(left, error, context) || offset(context)) return null;
  const isOurs = goldenNorm <= MAX_MEAN_LEFT * ourNorm;
  if (!isOurs && !(ourNorm <= MAX_MEAN_LEFT * goldenNorm)) return null;
  const [unsubtracted, subtracted] = isOurs ? (['ours', 'golden'] as const) : (['golden', 'ours'] as const);
  const means = isOurs ? ours : theirs;
  const [least, greatest] = [Math.min(...means), Math.max(...means)];
  return {
    id: 'missing-mean',
    evidence:
      `${unsubtracted} still has its mean over frames (${errorText(least)} to ${errorText(greatest)} by mel bin), ` +
      `${subtracted} has it subtracted${leavesText(left, error)}`,
    values: { missingIn: unsubtracted, least, greatest },
  };
}

/** The samples of one side are 16-bit integers, those of the other in [-1, 1]: the logarithms are 20.79 apart. */
export function sampleScale(context: CauseContext): Cause | null {
  const found = context.axes.includes('mel') ? offset(context) : null;
  const apart = found?.values.offset;
  if (typeof apart !== 'number' || Math.abs(Math.abs(apart) / INT16_LOG_POWER - 1) > 1e-3) return null;
  const [large, small] = apart > 0 ? (['golden', 'ours'] as const) : (['ours', 'golden'] as const);
  return {
    id: 'sample-scale',
    evidence:
      `golden is ours ${apart > 0 ? '+' : '−'} ${fittedText(Math.abs(apart))}, ` +
      `and 2·ln(32768) is ${fittedText(INT16_LOG_POWER)}: ` +
      `the samples of ${large} are 16-bit integers, those of ${small} in [-1, 1]`,
    values: { offset: apart, large },
  };
}
