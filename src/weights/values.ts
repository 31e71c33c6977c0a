import type { ElementType } from '../util/elementTypes';

/** What is wrong with the values of a tensor. */
export interface ValuesFault {
  readonly kind: 'not-finite' | 'zeros';
  /** To follow the name of the tensor, without a period. */
  readonly text: string;
}

type Bits = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The bits of a float type: how to view them, and its exponent and value bits, without the sign. */
interface FloatBits {
  readonly view: (buffer: ArrayBuffer) => Bits;
  /** All ones for NaN and infinity. */
  readonly exponent: number;
  /** All zero for both zeros. */
  readonly magnitude: number;
}

/** Float types with infinities. Values of other types are checked for zeros only. */
const FLOATS: Partial<Record<ElementType, FloatBits>> = {
  float32: { view: (buffer) => new Uint32Array(buffer), exponent: 0x7f80_0000, magnitude: 0x7fff_ffff },
  float16: { view: (buffer) => new Uint16Array(buffer), exponent: 0x7c00, magnitude: 0x7fff },
  bfloat16: { view: (buffer) => new Uint16Array(buffer), exponent: 0x7f80, magnitude: 0x7fff },
};

/** Other types: bytes, whose exponent is never found. */
const AS_BYTES: FloatBits = { view: (buffer) => new Uint8Array(buffer), exponent: 0x100, magnitude: 0xff };

const ZEROS: ValuesFault = { kind: 'zeros', text: 'holds only zeros' };

/**
 * What is wrong with the values of a tensor; null if they are finite and not all zero, or if there are none.
 *
 * Floats are checked by their bits, because that is several times faster than by their values.
 *
 * @param bytes little-endian, at the start of their buffer
 */
export function faultOfValues({ buffer }: Uint8Array<ArrayBuffer>, type: ElementType): ValuesFault | null {
  if (type === 'float64') return faultOfDoubles(new Float64Array(buffer));
  const { view, exponent, magnitude } = FLOATS[type] ?? AS_BYTES;
  const bits = view(buffer);
  let seen = 0;
  for (let index = 0; index < bits.length; index++) {
    const value = bits[index]!;
    if ((value & exponent) === exponent) return notFinite(index);
    seen |= value & magnitude;
  }
  return seen === 0 && bits.length > 0 ? ZEROS : null;
}

function faultOfDoubles(values: Float64Array): ValuesFault | null {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) return notFinite(at);
  return values.length > 0 && values.every((value) => value === 0) ? ZEROS : null;
}

const notFinite = (index: number): ValuesFault => ({ kind: 'not-finite', text: `has a NaN or infinite value at position ${index}` });
