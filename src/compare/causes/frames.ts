import type { Cause } from '../report';
import type { Tensor } from '../tensor';
import type { CauseContext } from './context';
import {
  along,
  correlation,
  countText,
  distance,
  errorText,
  explains,
  leavesText,
  MIN_VALUES,
  spread,
  type Along,
} from './proof';

const FRAME = ['frame'];

/** Frames that are tried on both sides: this many, or this share of a long stage. */
const MAX_SHIFT = 10;
const MAX_SHIFT_SHARE = 0.1;

/** The rows along the frames that a search looks at before all of them are compared. */
const MAX_SEARCHED_ROWS = 32;

/** Correlation of ours with the golden frames resampled to as many, from which on ours counts as a stretched version. */
const MIN_STRETCHED_CORRELATION = 0.8;

/** The golden frames are ours, some frames earlier or later. The edges, which only one side has, do not count. */
export function shiftedFrames(context: CauseContext): Cause | null {
  const { actual, golden, axes } = context;
  const view = along(actual, axes, FRAME);
  if (!view) return null;
  const furthest = Math.min(Math.max(MAX_SHIFT, Math.floor(view.size * MAX_SHIFT_SHARE)), view.size - 2);
  const shifts = Array.from({ length: Math.max(0, furthest) }, (_, index) => [index + 1, -index - 1]).flat();
  const searched = thinned(view);
  /** Ours and golden where both have frames, golden `shift` frames later. */
  const overlap = (rows: Rows, shift: number): [Float32Array, Float32Array] => [
    cut(actual.data, rows, Math.max(0, -shift), view.size - Math.abs(shift)),
    cut(golden.data, rows, Math.max(0, shift), view.size - Math.abs(shift)),
  ];
  const errorPerFrame = (shift: number): number =>
    distance(...overlap(searched, shift)).norm / Math.sqrt(view.size - Math.abs(shift));
  const shift = leastBy(shifts, errorPerFrame);
  if (shift === null) return null;

  const all = rowsOf(view);
  const [ours, theirs] = overlap(all, shift);
  if (ours.length < MIN_VALUES) return null;
  const left = distance(ours, theirs);
  // The error of the same golden frames before.
  const unshifted = cut(actual.data, all, Math.max(0, shift), view.size - Math.abs(shift));
  const error = distance(unshifted, theirs);
  if (!explains(left, error, context)) return null;
  const direction = shift > 0 ? 'later' : 'earlier';
  return {
    id: 'shifted-frames',
    evidence: `golden is ours ${countText(Math.abs(shift), 'frame')} ${direction}${leavesText(left, error)}`,
    values: { frames: shift },
  };
}

/** The two have other numbers of frames: as of other strides, or of frames dropped or added at an end. */
export function frameCount(context: CauseContext): Cause | null {
  const { actual, golden, axes } = context;
  const ours = along(actual, axes, FRAME);
  const theirs = along(golden, axes, FRAME);
  if (!ours || !theirs || ours.size === theirs.size) return null;
  if (golden.shape.some((size, axis) => axis !== ours.axis && size !== actual.shape[axis])) return null;
  const counts = `ours has ${countText(ours.size, 'frame')} where golden has ${theirs.size}`;
  const values = { ours: ours.size, golden: theirs.size };
  const causeOf = (how: string, more: Cause['values']): Cause => ({
    id: 'frame-count',
    evidence: counts + how,
    values: { ...values, ...more },
  });
  if (Math.min(actual.data.length, golden.data.length) < MIN_VALUES) return causeOf('', {});

  const cropped = bestCrop(actual, ours, golden, theirs);
  const left = distance(cropped.ours, cropped.golden);
  if (explains(left, spread(cropped.golden), context)) {
    const { start } = cropped;
    const [longer, shorter] = ours.size < theirs.size ? ['golden', 'ours'] : ['ours', 'golden'];
    const end = Math.abs(ours.size - theirs.size) - start;
    const ends = `${shorter} is ${longer} without its first ${start} and last ${end}`;
    return causeOf(`: ${ends}, max abs error ${errorText(left.maxAbs)}`, { how: 'cut', start });
  }
  const asCut = correlation(cropped.ours, cropped.golden);
  const asStretched = correlation(actual.data, stretched(golden.data, theirs, ours.size));
  const correlations = `correlation ${errorText(asStretched)} stretched, ${errorText(asCut)} cut`;
  if (asStretched >= MIN_STRETCHED_CORRELATION && asStretched > asCut) {
    const how = `: over the same time, so the hop differs (${correlations})`;
    return causeOf(how, { how: 'stretched', correlation: asStretched });
  }
  return causeOf(`: neither cut nor stretched (${correlations})`, {});
}

/** Some of the positions (block, rest) of a view, each a row along its axis. */
interface Rows extends Along {
  readonly positions: readonly (readonly [block: number, rest: number])[];
}

function rowsOf(view: Along, step = 1): Rows {
  const count = Math.ceil((view.blocks * view.stride) / step);
  const positions = Array.from(
    { length: count },
    (_, row) => [Math.floor((row * step) / view.stride), (row * step) % view.stride] as const,
  );
  return { ...view, positions };
}

/** Rows enough to find a shift by; whether it is one is judged on all. */
const thinned = (view: Along): Rows => rowsOf(view, Math.ceil((view.blocks * view.stride) / MAX_SEARCHED_ROWS));

/** Axes (row, frame): `count` frames from `start` on. */
function cut(data: Float32Array, { positions, size, stride }: Rows, start: number, count: number): Float32Array {
  const result = new Float32Array(positions.length * count);
  for (const [row, [block, rest]] of positions.entries()) {
    for (let frame = 0; frame < count; frame++) {
      result[row * count + frame] = data[(block * size + start + frame) * stride + rest]!;
    }
  }
  return result;
}

/** The stretch of the longer side that is nearest to the shorter one; both with axes (row, frame). */
function bestCrop(
  actual: Tensor,
  ours: Along,
  golden: Tensor,
  theirs: Along,
): { start: number; ours: Float32Array; golden: Float32Array } {
  const count = Math.min(ours.size, theirs.size);
  const at = (rows: (view: Along) => Rows, start: number): [Float32Array, Float32Array] => [
    cut(actual.data, rows(ours), ours.size > count ? start : 0, count),
    cut(golden.data, rows(theirs), theirs.size > count ? start : 0, count),
  ];
  const starts = Array.from({ length: Math.abs(ours.size - theirs.size) + 1 }, (_, index) => index);
  const start = leastBy(starts, (candidate) => distance(...at(thinned, candidate)).norm) ?? 0;
  const [oursCut, goldenCut] = at(rowsOf, start);
  return { start, ours: oursCut, golden: goldenCut };
}

/** The tensor resampled to `count` frames over the same time, linearly. */
function stretched(data: Float32Array, { blocks, size, stride }: Along, count: number): Float32Array {
  const result = new Float32Array(blocks * count * stride);
  for (let frame = 0; frame < count; frame++) {
    const position = Math.min(Math.max(((frame + 0.5) * size) / count - 0.5, 0), size - 1);
    const before = Math.floor(position);
    const after = Math.min(before + 1, size - 1);
    const share = position - before;
    for (let block = 0; block < blocks; block++) {
      for (let rest = 0; rest < stride; rest++) {
        const early = data[(block * size + before) * stride + rest]!;
        const late = data[(block * size + after) * stride + rest]!;
        result[(block * count + frame) * stride + rest] = early + share * (late - early);
      }
    }
  }
  return result;
}

/** The candidate of the least measure; null where no measure is a number. */
function leastBy(candidates: readonly number[], measureOf: (candidate: number) => number): number | null {
  let best: number | null = null;
  let least = Infinity;
  for (const candidate of candidates) {
    const found = measureOf(candidate);
    if (found < least) {
      best = candidate;
      least = found;
    }
  }
  return best;
}
