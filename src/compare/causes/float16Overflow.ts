import { hasShape } from '../measure';
import type { Cause } from '../report';
import type { CauseContext } from './context';
import { allowedAbs } from '../stageTolerance';
import { countText, errorText } from './proof';

/** The greatest finite float16. */
const GREATEST = 65504;
/** Least absolute value that rounds to infinity in float16: half a step above the greatest. */
const OVERFLOWS = 65520;
/** Relative rounding of float16 at each of a few steps. */
const ROUNDING = 16 * 2 ** -11;

/**
 * Ours was computed in float16, whose range the golden values exceed: every finite value of ours is a float16 number and
 * agrees, and exactly the values above the range are infinite, with the sign of the golden ones.
 */
export function float16Overflow({ actual, golden, tolerance }: CauseContext): Cause | null {
  if (!hasShape(actual, golden.shape)) return null;
  const allowed = allowedAbs(tolerance, golden.data);
  let numOverflows = 0;
  let greatest = 0;
  for (const [index, ours] of actual.data.entries()) {
    const theirs = golden.data[index]!;
    if (Number.isFinite(ours)) {
      const agrees = Math.abs(ours - theirs) <= Math.max(allowed, ROUNDING * Math.abs(theirs));
      if (!agrees || !isFloat16(ours)) return null;
    } else if (!Object.is(ours, theirs)) {
      // Rounding may put a value at the border on either side of it.
      const isBeyond = Number.isFinite(theirs) && Math.abs(theirs) >= OVERFLOWS * (1 - ROUNDING);
      if (!isBeyond || Math.sign(ours) !== Math.sign(theirs)) return null;
      numOverflows++;
      greatest = Math.max(greatest, Math.abs(theirs));
    }
  }
  if (numOverflows === 0) return null;
  return {
    id: 'float16-overflow',
    evidence:
      `ours is infinite in exactly ${countText(numOverflows, 'value')} that golden has beyond ${GREATEST}, the greatest float16 ` +
      `(up to ${errorText(greatest)}); every other value of ours is a float16 number and agrees`,
    values: { numOverflows, greatest },
  };
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** Whether float16 can hold a value: ten bits after the point are enough, and it is within the range. */
function isFloat16(value: number): boolean {
  float[0] = value;
  // Below 2^-14 float16 has fewer bits, in steps of 2^-24.
  if (Math.abs(value) < 2 ** -14) return Number.isInteger(value * 2 ** 24);
  return (bits[0]! & 0x1fff) === 0 && Math.abs(value) <= GREATEST;
}
