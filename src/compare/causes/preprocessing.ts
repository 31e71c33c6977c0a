import { maskedFeatures } from '../../embedding/mask';
import { Fbank, type FbankOptions, type Features } from '../../features/fbank';
import type { NodeProto } from '../../onnx/onnx_pb';
import { Draft } from '../../onnx/replaceNodes';
import { transpose } from '../align';
import type { Cause, CauseId } from '../report';
import type { Tensor } from '../tensor';
import type { CauseContext, LayerGraph } from './context';
import {
  along,
  consumersOf,
  distance,
  type Distance,
  errorText,
  explains,
  fittedText,
  labelOf,
  leavesText,
  MIN_VALUES,
  confirmedRepair,
  type Repair,
  sideText,
} from './evidence';
import { offset } from './scale';

/** Ratio of 16-bit integers to samples in [-1, 1]. */
const INT16_SCALE = 32768;

const WINDOWS: readonly FbankOptions['windowType'][] = ['povey', 'hamming', 'hann', 'rectangular'];

/** Maximum number of mistakes that are tried together; more would be a different filterbank. */
const MAX_CHANGES = 2;

/** An option that exports often get wrong, its alternatives, and the cause. */
interface Alternative {
  readonly field: 'windowType' | 'preemphasis' | 'removeDcOffset' | 'sampleScale';
  readonly id: CauseId;
  readonly valuesOf: (facts: FbankOptions) => readonly FbankOptions[Alternative['field']][];
  readonly text: (facts: FbankOptions) => string;
}

const ALTERNATIVES: readonly Alternative[] = [
  {
    field: 'windowType',
    id: 'fbank-window',
    valuesOf: ({ windowType }) => WINDOWS.filter((type) => type !== windowType),
    text: ({ windowType }) => `a ${windowType} window`,
  },
  {
    field: 'sampleScale',
    id: 'sample-scale',
    valuesOf: ({ sampleScale }) => [sampleScale * INT16_SCALE, sampleScale / INT16_SCALE],
    text: ({ sampleScale }) => `samples times ${sampleScale}`,
  },
  {
    field: 'preemphasis',
    id: 'fbank-window',
    valuesOf: ({ preemphasis }) => [preemphasis === 0 ? 0.97 : 0],
    text: ({ preemphasis }) => `pre-emphasis of ${preemphasis}`,
  },
  {
    field: 'removeDcOffset',
    id: 'fbank-window',
    valuesOf: ({ removeDcOffset }) => [!removeDcOffset],
    text: ({ removeDcOffset }) => `the mean of each frame ${removeDcOffset ? 'removed' : 'left in'}`,
  },
];

/** Options that reproduce the features of one side. */
interface Explained {
  readonly options: FbankOptions;
  readonly distance: Distance;
}

/**
 * Detects that the two sides are features of the same recording with different settings. Recomputes the features in float64
 * with the manifest's settings, with each common mistake and with pairs of mistakes, each with and without mean
 * subtraction, until one matches our values and one matches the golden values. Needs up to 25 filterbanks.
 */
export function fbankSettings(context: CauseContext): Cause | null {
  const { fbank, actual, golden, axes } = context;
  const ours = frameMajor(actual, axes);
  const theirs = frameMajor(golden, axes);
  if (!fbank || !ours || !theirs) return null;
  const error = distance(ours, theirs);
  let actualFound: Explained | null = null;
  let goldenFound: Explained | null = null;
  for (let numChanges = 0; numChanges <= MAX_CHANGES && !(actualFound && goldenFound); numChanges++) {
    const computed = variants(fbank.facts, numChanges).flatMap((options) => featuresOf(context, options));
    const nearest = (target: Float32Array): Explained | null => {
      const found = computed
        .filter(({ data }) => data.length === target.length)
        .map(({ options, data }) => ({ options, distance: distance(data, target) }))
        .sort((left, right) => left.distance.norm - right.distance.norm)[0];
      return found && explains(found.distance, error, context) ? found : null;
    };
    actualFound ??= nearest(ours);
    goldenFound ??= nearest(theirs);
  }
  return actualFound && goldenFound && causeOf(actualFound, goldenFound);
}

function causeOf(ours: Explained, golden: Explained): Cause | null {
  const differing = ALTERNATIVES.filter(({ field }) => ours.options[field] !== golden.options[field]);
  const meanDiffers = ours.options.subtractMean !== golden.options.subtractMean;
  const id = differing[0]?.id ?? (meanDiffers ? 'missing-mean' : null);
  if (!id) return null;
  const describe = ({ options, distance: { maxAbs } }: Explained): string => {
    const mean = options.subtractMean ? 'the mean over frames subtracted' : 'the mean over frames not subtracted';
    const parts = [...differing.map(({ text }) => text(options)), ...(meanDiffers ? [mean] : [])];
    return `${parts.join(' and ')} (max abs ${errorText(maxAbs)})`;
  };
  const fields = [...differing.map(({ field }) => field), ...(meanDiffers ? (['subtractMean'] as const) : [])];
  const settings = ({ options }: Explained): string =>
    fields.map((field) => `${field} ${String(options[field])}`).join(', ');
  return {
    id,
    evidence: `the golden output matches ${describe(golden)}, the computed output matches ${describe(ours)}`,
    values: {
      golden: settings(golden),
      ours: settings(ours),
      goldenMaxAbs: golden.distance.maxAbs,
      oursMaxAbs: ours.distance.maxAbs,
    },
  };
}

/** The settings with exactly `numChanges` alternatives. */
function variants(facts: FbankOptions, numChanges: number, from = 0): FbankOptions[] {
  if (numChanges === 0) return [facts];
  return ALTERNATIVES.slice(from).flatMap(({ field, valuesOf }, index) =>
    valuesOf(facts).flatMap((value) => variants({ ...facts, [field]: value }, numChanges - 1, from + index + 1)),
  );
}

/** Axes (frame, mel), with and without mean subtraction. */
function featuresOf({ fbank }: CauseContext, facts: FbankOptions): { options: FbankOptions; data: Float32Array }[] {
  const { samples, sampleRate } = fbank!;
  const features = new Fbank(facts, sampleRate).compute(samples);
  return [true, false].map((subtractMean) => ({
    options: { ...facts, subtractMean },
    data: subtractMean ? withoutMean(features) : features.data,
  }));
}

const withoutMean = (features: Features): Float32Array =>
  maskedFeatures(features, new Uint8Array(features.numFrames).fill(1), true);

/** Axes (frame, mel); null if the tensor has other axes with a size above 1. */
function frameMajor(tensor: Tensor, axes: readonly string[]): Float32Array | null {
  const frame = along(tensor, axes, ['frame']);
  const mel = along(tensor, axes, ['mel']);
  if (!frame || !mel || tensor.data.length !== frame.size * mel.size) return null;
  const others = tensor.shape.flatMap((_, axis) => (axis === frame.axis || axis === mel.axis ? [] : [axis]));
  return transpose(tensor, [...others, frame.axis, mel.axis]).data;
}

/**
 * Maximum remainder of a subtracted mean, relative to the mean of the other side. Rounding leaves about 1e-7; a mean over
 * other frames leaves more.
 */
const MAX_MEAN_LEFT = 0.02;

/** Log of the power ratio of 16-bit integers to samples in [-1, 1]: 20.79. */
const INT16_LOG_POWER = 2 * Math.log(32768);

/**
 * Detects a mean over frames that was subtracted from the mel bins of one side only. Needs no recording: one side's means
 * are zero.
 */
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
  // One number for all bins is an offset, whatever the means.
  if (!explains(left, error, context) || offset(context)) return null;
  const isOurs = goldenNorm <= MAX_MEAN_LEFT * ourNorm;
  if (!isOurs && !(ourNorm <= MAX_MEAN_LEFT * goldenNorm)) return null;
  const [unsubtracted, subtracted] = isOurs ? (['ours', 'golden'] as const) : (['golden', 'ours'] as const);
  const means = isOurs ? ours : theirs;
  const [least, greatest] = [Math.min(...means), Math.max(...means)];
  return {
    id: 'missing-mean',
    evidence:
      `${sideText(unsubtracted)} still has its mean over frames (${errorText(least)} to ${errorText(greatest)} by mel bin), ` +
      `${sideText(subtracted)} does not${leavesText(left, error)}`,
    values: { missingIn: unsubtracted, least, greatest },
  };
}

/** Detects that one side uses 16-bit integer samples and the other samples in [-1, 1]: the logarithms differ by 20.79. */
export function sampleScale(context: CauseContext): Cause | null {
  const found = context.axes.includes('mel') ? offset(context) : null;
  const apart = found?.values.offset;
  if (typeof apart !== 'number' || Math.abs(Math.abs(apart) / INT16_LOG_POWER - 1) > 1e-3) return null;
  const [large, small] = apart > 0 ? (['golden', 'ours'] as const) : (['ours', 'golden'] as const);
  return {
    id: 'sample-scale',
    evidence:
      `the golden output is the computed output ${apart > 0 ? '+' : '−'} ${fittedText(Math.abs(apart))}, ` +
      `and 2·ln(32768) is ${fittedText(INT16_LOG_POWER)}: ` +
      `the samples of ${sideText(large)} are 16-bit integers, those of ${sideText(small)} are in [-1, 1]`,
    values: { offset: apart, large },
  };
}

/** Operators that normalize inputs. */
const NORMALIZING = new Set(['Sub', 'Div', 'Mul', 'Add']);

/** Maximum number of normalization steps: scale, mean, deviation, and an offset. */
const MAX_STEPS = 4;

/** Detects a graph that normalizes an already normalized input: without its first steps it returns the golden values. */
export function doublePreprocessing(context: CauseContext): Promise<Cause | null> {
  const { graph } = context;
  const repairs = graph ? [...graph.graphInputs].flatMap((input) => repairsAt(graph, input)) : [];
  return confirmedRepair(context, 'double-preprocessing', repairs);
}

/** Repairs that remove the first step after an input, the first two steps, and so on. */
function repairsAt(graph: LayerGraph, input: string): Repair[] {
  const steps: NodeProto[] = [];
  let value = input;
  while (steps.length < MAX_STEPS) {
    const [next, ...others] = consumersOf(graph, value);
    if (!next || others.length > 0 || !NORMALIZING.has(next.opType)) break;
    const isConstant = next.input.every((name) => name === value || graph.constant(name) !== null);
    if (!isConstant) break;
    steps.push(next);
    value = next.output[0]!;
  }
  return steps.map((_, index) => {
    const omitted = steps.slice(0, index + 1);
    return {
      changes: new Map(omitted.map((node, step) => [node.output[0]!, new Draft(node.output[0]!).give(omitted[step - 1]?.output[0] ?? input)])),
      text: `leaving out ${omitted.map(labelOf).join(', ')}, as of an input that is normalized already,`,
      values: { nodes: omitted.map(labelOf).join(', ') },
    };
  });
}
