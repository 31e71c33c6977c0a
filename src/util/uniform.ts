/**
 * Pseudorandom numbers that Python scripts compute too (`uniform` in models/seeded_values.py): each is a hash of
 * its index and `seed`.
 *
 * @returns axes (value), float32: multiples of 2^-23 in [-1, 1)
 */
export function uniform(seed: number, count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  const start = Math.imul(seed, 0x85ebca77);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b1) + start) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    values[i] = (x >>> 8) / 2 ** 23 - 1;
  }
  return values;
}
