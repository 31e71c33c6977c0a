import type { Cause } from '../report';
import type { CauseContext } from './context';
import { distance, explains, fittedText, leavesText, meanOf, MIN_VALUES, spread, type Distance } from './evidence';

/** A line through ours that meets the golden values. */
interface Fit {
  readonly factor: number;
  readonly offset: number;
  readonly left: Distance;
  readonly error: Distance;
}

/** Relative distance at which a factor counts as a constant: float32 and a fit over noise are far nearer. */
const CONSTANT_TOLERANCE = 1e-3;

/** Scales of a logarithm, as factors on the natural one. */
const LOG_SCALES = [
  { name: 'natural logarithm', factor: 1 },
  { name: 'logarithm to base 2', factor: Math.LOG2E },
  { name: 'logarithm to base 10', factor: Math.LOG10E },
  { name: '10·log10 (decibels of power)', factor: 10 * Math.LOG10E },
  { name: '20·log10 (decibels of amplitude)', factor: 20 * Math.LOG10E },
] as const;

/** Kaldi's floor below a logarithm, the float32 machine epsilon: what a missing logarithm is compared with at zero. */
const LOG_FLOOR = 2 ** -23;

/** A function of ours that gives the golden values where one side lacks a logarithm. */
interface Transform {
  readonly name: string;
  readonly of: (value: number) => number;
  readonly missing: 'golden' | 'ours';
}

const TRANSFORMS: readonly Transform[] = [
  { name: 'exp', of: Math.exp, missing: 'golden' },
  { name: '2^', of: (value) => 2 ** value, missing: 'golden' },
  { name: '10^', of: (value) => 10 ** value, missing: 'golden' },
  ...LOG_SCALES.map(({ name, factor }) => ({
    name: `the ${name} of `,
    // Of negative values it is NaN, which explains nothing.
    of: (value: number) => factor * Math.log(value >= 0 ? Math.max(value, LOG_FLOOR) : NaN),
    missing: 'ours' as const,
  })),
];

/** The golden values are ours times one factor. */
export const scaled = (context: CauseContext): Cause | null => scaledBy(fitFactor(context));

/** The golden values are ours times a factor, plus an offset. */
export const scaledAndOffset = (context: CauseContext): Cause | null => scaledBy(fitLine(context));

function scaledBy(fit: Fit | null): Cause | null {
  if (!fit) return null;
  const { factor, offset, left, error } = fit;
  const plus = offset === 0 ? '' : plusText(offset);
  return {
    id: 'scaled',
    evidence: `golden is ${fittedText(factor)} × ours${plus}${leavesText(left, error)}`,
    values: { factor, ...(offset !== 0 && { offset }) },
  };
}

/** The golden values are ours plus one number. */
export function offset(context: CauseContext): Cause | null {
  const fit = fitOffset(context);
  if (!fit) return null;
  const { left, error } = fit;
  return {
    id: 'offset',
    evidence: `golden is ours${plusText(fit.offset)}${leavesText(left, error)}`,
    values: { offset: fit.offset },
  };
}

/** The two are logarithms to different bases, or one is not a logarithm at all. */
export function logBase(context: CauseContext): Cause | null {
  return otherBase(context) ?? missingLog(context);
}

function otherBase(context: CauseContext): Cause | null {
  const fit = fitFactor(context);
  if (!fit) return null;
  for (const ours of LOG_SCALES) {
    for (const theirs of LOG_SCALES) {
      const constant = theirs.factor / ours.factor;
      // A factor of 2, 10 or 20 has likelier causes than another kind of decibels.
      if (ours === theirs || isWhole(constant) || isWhole(1 / constant)) continue;
      if (!isNear(fit.factor, constant)) continue;
      return {
        id: 'log-base',
        evidence:
          `golden is ${fittedText(fit.factor)} × ours: golden is a ${theirs.name} where ours is a ${ours.name} ` +
          `(${fittedText(constant)})${leavesText(fit.left, fit.error)}`,
        values: { factor: fit.factor, constant },
      };
    }
  }
  return null;
}

function missingLog(context: CauseContext): Cause | null {
  const { actual, golden } = context;
  // Of values that are all small or all alike, every smooth function is a line.
  if (golden.data.length < MIN_VALUES || fitLine(context)) return null;
  const error = distance(actual.data, golden.data);
  for (const { name, of, missing } of TRANSFORMS) {
    const left = distance(actual.data, golden.data, of);
    if (!explains(left, error, context)) continue;
    return {
      id: 'log-base',
      evidence: `golden is ${name}(ours): a logarithm is missing in ${missing}${leavesText(left, error)}`,
      values: { missing },
    };
  }
  return null;
}

const plusText = (offset: number): string => ` ${offset < 0 ? '−' : '+'} ${fittedText(Math.abs(offset))}`;

const isWhole = (value: number): boolean => isNear(value, Math.round(value));

const isNear = (value: number, constant: number): boolean => Math.abs(value / constant - 1) <= CONSTANT_TOLERANCE;

/** Least squares; null where it does not explain the error. */
function fitFactor(context: CauseContext): Fit | null {
  const { actual, golden } = context;
  let dot = 0;
  let square = 0;
  for (let i = 0; i < actual.data.length; i++) {
    dot += actual.data[i]! * golden.data[i]!;
    square += actual.data[i]! * actual.data[i]!;
  }
  return judged(context, dot / square, 0);
}

function fitOffset(context: CauseContext): Fit | null {
  return judged(context, 1, meanOf(context.golden.data) - meanOf(context.actual.data));
}

function fitLine(context: CauseContext): Fit | null {
  const { actual, golden } = context;
  const ourMean = meanOf(actual.data);
  const goldenMean = meanOf(golden.data);
  let product = 0;
  for (let i = 0; i < actual.data.length; i++) {
    product += (actual.data[i]! - ourMean) * (golden.data[i]! - goldenMean);
  }
  const factor = product / spread(actual.data).norm ** 2;
  // A golden tensor of one value lies on a level line through anything.
  if (golden.data.every((value) => value === golden.data[0])) return null;
  return judged(context, factor, goldenMean - factor * ourMean);
}

function judged(context: CauseContext, factor: number, offset: number): Fit | null {
  const { actual, golden } = context;
  if (golden.data.length < MIN_VALUES) return null;
  const error = distance(actual.data, golden.data);
  const left = distance(actual.data, golden.data, (value) => factor * value + offset);
  return explains(left, error, context) ? { factor, offset, left, error } : null;
}
