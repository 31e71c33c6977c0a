import { hasShape } from '../measure';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { along, countText, distance, errorText } from './proof';

/**
 * Difference that rounding may make between two runs, as a share of the tensor's greatest absolute value. PyTorch and
 * the WASM runtime, which add in other orders, are 6e-6 apart at most on the stages of the shipped models; on WASM
 * neither another run nor another batch size changes a bit.
 */
const ROUNDING = 1e-4;

/** The same input twice does not give the same: a race, or memory that nobody wrote. */
export async function runToRun({ actual, again }: CauseContext): Promise<Cause | null> {
  if (!again) return null;
  const other = await again();
  if (!hasShape(other, actual.shape)) return null;
  const found = beyondRounding(actual.data, other.data);
  return (
    found && {
      id: 'run-to-run',
      evidence: `the same run once more ${differsText(found)}`,
      values: { ...found },
    }
  );
}

/** The first item of a batch depends on how many others there are. */
export async function batchDependent({ actual, axes, golden, otherBatch }: CauseContext): Promise<Cause | null> {
  const view = along(actual, axes, ['batch']);
  if (!otherBatch || view?.axis !== 0) return null;
  const other = await otherBatch();
  const shape = [1, ...actual.shape.slice(1)];
  if (!other || !hasShape(other, shape)) return null;
  const found = beyondRounding(actual.data.subarray(0, view.stride), other.data);
  if (!found) return null;
  // Which of the two sizes is the wrong one.
  const fits = hasShape(golden, actual.shape);
  const { maxAbs: toGolden } = distance(other.data, fits ? golden.data.subarray(0, view.stride) : new Float32Array(0));
  const isKnown = fits && Number.isFinite(toGolden);
  return {
    id: 'batch-dependent',
    evidence:
      `the first item at another batch size ${differsText(found)}` +
      (isKnown ? `; there it is ${errorText(toGolden)} from golden` : ''),
    values: { ...found, ...(isKnown && { toGolden }) },
  };
}

/** How two runs of one thing differ. */
interface Difference {
  /** Greatest absolute difference, of values that are finite in both. */
  readonly maxAbs: number;
  /** What rounding may make of it. */
  readonly bound: number;
  /** Values that are finite in one of the two only. */
  readonly numNotFinite: number;
}

/** Null where rounding would do as much. Values that are not finite in both runs repeat well enough. */
function beyondRounding(data: Float32Array, other: Float32Array): Difference | null {
  let greatest = 0;
  let maxAbs = 0;
  let numNotFinite = 0;
  for (const [index, value] of data.entries()) {
    const repeated = other[index]!;
    const isFinite = Number.isFinite(value);
    if (isFinite !== Number.isFinite(repeated)) numNotFinite++;
    if (!isFinite || !Number.isFinite(repeated)) continue;
    greatest = Math.max(greatest, Math.abs(value));
    maxAbs = Math.max(maxAbs, Math.abs(value - repeated));
  }
  const bound = ROUNDING * greatest;
  return maxAbs > bound || numNotFinite > 0 ? { maxAbs, bound, numNotFinite } : null;
}

const differsText = ({ maxAbs, bound, numNotFinite }: Difference): string =>
  numNotFinite > 0
    ? `differs in ${countText(numNotFinite, 'value')} that only one of the two has as a number`
    : `differs by up to ${errorText(maxAbs)}, where rounding makes ${errorText(bound)} at most`;
