import { maskedFeatures } from '../../embedding/mask';
import { Fbank, type Features } from '../../fbank/fbank';
import type { FbankOptions } from '../../fbank/options';
import { transpose } from '../align';
import type { Cause, CauseId } from '../report';
import type { Tensor } from '../tensor';
import type { CauseContext } from './context';
import { along, distance, errorText, explains, type Distance } from './proof';

/** What 16-bit integers are larger by than samples in [-1, 1]. */
const INT16_SCALE = 32768;

const WINDOWS: readonly FbankOptions['windowType'][] = ['povey', 'hamming', 'hann', 'rectangular'];

/** Mistakes that are tried together; more than two at once is no mistake but another filterbank. */
const MAX_CHANGES = 2;

/** A field of the options that exports get wrong, what it may be instead, and which cause that is. */
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

/** Options under which the recording's features are what one side has. */
interface Explained {
  readonly options: FbankOptions;
  readonly distance: Distance;
}

/**
 * The two sides are the same recording's features under two different settings. Recomputes the features in float64
 * under the manifest's settings, under each that exports get wrong, and under pairs of these, each with and without
 * the mean over frames subtracted, until one gives our values and one gives the golden ones: 25 filterbanks at most.
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
    evidence: `golden is what ${describe(golden)} gives, ours what ${describe(ours)} gives`,
    values: {
      golden: settings(golden),
      ours: settings(ours),
      goldenMaxAbs: golden.distance.maxAbs,
      oursMaxAbs: ours.distance.maxAbs,
    },
  };
}

/** The settings with exactly so many of the alternatives taken. */
function variants(facts: FbankOptions, numChanges: number, from = 0): FbankOptions[] {
  if (numChanges === 0) return [facts];
  return ALTERNATIVES.slice(from).flatMap(({ field, valuesOf }, index) =>
    valuesOf(facts).flatMap((value) => variants({ ...facts, [field]: value }, numChanges - 1, from + index + 1)),
  );
}

/** Axes (frame, mel), with the mean over frames subtracted and without. */
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

/** Axes (frame, mel), of a tensor that has no others but such of size 1; null of any other. */
function frameMajor(tensor: Tensor, axes: readonly string[]): Float32Array | null {
  const frame = along(tensor, axes, ['frame']);
  const mel = along(tensor, axes, ['mel']);
  if (!frame || !mel || tensor.data.length !== frame.size * mel.size) return null;
  const others = tensor.shape.flatMap((_, axis) => (axis === frame.axis || axis === mel.axis ? [] : [axis]));
  return transpose(tensor, [...others, frame.axis, mel.axis]).data;
}
