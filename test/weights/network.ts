import type { ExpectedTensor } from '../../src/weights/expected';
import { sizeOf } from '../../src/util/shape';
import { buildWeights, type TensorToWrite } from './safetensorsFile';

/** The weights of a small network with matrices of each kind: linear, transposed and convolution. */
export const NETWORK: readonly ExpectedTensor[] = [
  { name: 'silence', type: 'float32', shape: [5], channelAxis: null },
  { name: 'linear.weight', type: 'float32', shape: [7, 5], channelAxis: 0 },
  { name: 'linear.bias', type: 'float32', shape: [7], channelAxis: null },
  { name: 'product', type: 'float32', shape: [5, 3], channelAxis: 1 },
  { name: 'embedding', type: 'float32', shape: [4, 6], channelAxis: null },
  { name: 'conv.weight', type: 'float32', shape: [3, 5, 3], channelAxis: 0 },
  { name: 'scalar', type: 'float32', shape: [], channelAxis: null },
  { name: 'positions', type: 'int64', shape: [2], channelAxis: null },
];

/** Reproducible values between -1 and 1, none of them zero. */
export function seededValues(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed * 2654435761;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 8) + 0.5) / 2 ** 23 - 1;
  });
}

/** Values for each tensor, by name. */
export const seededTensors = (expected: readonly ExpectedTensor[] = NETWORK): Record<string, TensorToWrite> =>
  Object.fromEntries(
    expected.map(({ name, type, shape }, index) => [
      name,
      type === 'int64'
        ? { dtype: 'I64', shape, data: BigInt64Array.from({ length: sizeOf(shape) }, (_, place) => BigInt(place + 1)) }
        : { shape, data: seededValues(sizeOf(shape), index + 1) },
    ]),
  );

/** A file with these values; the tensors of larger types come first. */
export function networkFile(tensors = seededTensors()): Uint8Array<ArrayBuffer> {
  const inOrder = Object.entries(tensors).sort(([, a], [, b]) => (b.dtype === 'I64' ? 1 : 0) - (a.dtype === 'I64' ? 1 : 0));
  return buildWeights(Object.fromEntries(inOrder), { format: 'pt' });
}
