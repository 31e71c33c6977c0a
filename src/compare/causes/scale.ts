import type { Cause } from '../report';
import type { CauseContext } from './context';
import { distance, explains, fittedText, leavesText, meanOf, MIN_VALUES, sideText, spread, type Distance } from './evidence';

/** A line from our values to the golden values. */
interface Fit {
  readonly factor: number;
  readonly offset: number;
  readonly left: Distance;
  readonly error: Distance;
}

/** Maximum relative distance for a factor to count as a constant; float32 and noisy fits are much closer. */
const CONSTANT_TOLERANCE = 1e-3;

/** Logarithm scales, as factors of the natural logarithm. */
const LOG_SCALES = [
  { name: 'natural logarithm', factor: 1 },
  { name: 'logarithm to base 2', factor: Math.LOG2E },
  { name: 'logarithm to base 10', factor: Math.LOG10E },
  { name: '10·log10 (decibels of power)', factor: 10 * Math.LOG10E },
  { name: '20·log10 (decibels of amplitude)', factor: 20 * Math.LOG10E },
] as const;

/**
 * Kaldi's floor for logarithms, the float32 machine epsilon. It replaces zeros in the comparison with a missing logarithm.
 */
const LOG_FLOOR = 2 ** -23;

/** A function of ours that returns the golden values if one side lacks a logarithm. */
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
    // Negative values become NaN, which explains nothing.
    of: (value: number) => factor * Math.log(value >= 0 ? Math.max(value, LOG_FLOOR) : NaN),
    missing: 'ours' as const,
  })),
];

/** Detects that golden is ours times a factor. */
export const scaled = (context: CauseContext): Cause | null => scaledBy(fitFactor(context));

/** Detects that golden is ours times a factor, plus an offset. */
export const scaledAndOffset = (context: CauseContext): Cause | null => scaledBy(fitLine(context));

function scaledBy(fit: Fit | null): Cause | null {
  if (!fit) return null;
  const { factor, offset, left, error } = fit;
  const plus = offset === 0 ? '' : plusText(offset);
  return {
    id: 'scaled',
    evidence: `the golden output is ${fittedText(factor)} × the computed output${plus}${leavesText(left, error)}`,
    values: { factor, ...(offset !== 0 && { offset }) },
  };
}

/** Detects that golden is ours plus an offset. */
export function offset(context: CauseContext): Cause | null {
  const fit = fitOffset(context);
  if (!fit) return null;
  const { left, error } = fit;
  return {
    id: 'offset',
    evidence: `the golden output is the computed output${plusText(fit.offset)}${leavesText(left, error)}`,
    values: { offset: fit.offset },
  };
}

/** Detects logarithms to different bases, or a missing logarithm on one side. */
export function logBase(context: CauseContext): Cause | null {
  return otherBase(context) ?? missingLog(context);
}

function otherBase(context: CauseContext): Cause | null {
  const fit = fitFactor(context);
  if (!fit) return null;
  for (const ours of LOG_SCALES) {
    for (const theirs of LOG_SCALES) {
      const constant = theirs.factor / ours.factor;
      // A factor of 2, 10 or 20 has more likely causes than another kind of decibels.
      if (ours === theirs || isWhole(constant) || isWhole(1 / constant)) continue;
      if (!isNear(fit.factor, constant)) continue;
      return {
        id: 'log-base',
        evidence:
          `the golden output is ${fittedText(fit.factor)} × the computed output: golden values are a ${theirs.name}, computed values are a ${ours.name} ` +
          `(${fittedText(constant)})${leavesText(fit.left, fit.error)}`,
        values: { factor: fit.factor, constant },
      };
    }
  }
  return null;
}

function missingLog(context: CauseContext): Cause | null {
  const { actual, golden } = context;
  // If all values are small or similar, every smooth function is a line.
  if (golden.data.length < MIN_VALUES || fitLine(context)) return null;
  const error = distance(actual.data, golden.data);
  for (const { name, of, missing } of TRANSFORMS) {
    const left = distance(actual.data, golden.data, of);
    if (!explains(left, error, context)) continue;
    return {
      id: 'log-base',
      evidence: `the golden output is ${name}(the computed output): a logarithm is missing in ${sideText(missing)}${leavesText(left, error)}`,
      values: { missing },
    };
  }
  return null;
}

const plusText = (offset: number): string => ` ${offset < 0 ? '−' : '+'} ${fittedText(Math.abs(offset))}`;

const isWhole = (value: number): boolean => isNear(value, Math.round(value));

const isNear = (value: number, constant: number): boolean => Math.abs(value / constant - 1) <= CONSTANT_TOLERANCE;

/** Least-squares fit; null if it does not explain the error. */
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
  // Any constant golden tensor fits a horizontal line.
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
