import * as ort from 'onnxruntime-web';
import { encodeOnnx } from '../../src/onnx/model';
import type { ModelProto } from '../../src/onnx/onnx_pb';

/** Values and shape of a float32 tensor, row-major. */
export interface Floats {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Runs a model on ONNX Runtime's WASM backend with float32 inputs. */
export async function runModel(
  model: ModelProto,
  feeds: Readonly<Record<string, Floats | ort.Tensor>>,
): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(encodeOnnx(model));
  const tensors = Object.entries(feeds).map(
    ([name, feed]) => [name, 'dims' in feed ? feed : new ort.Tensor(feed.data, feed.shape)] as const,
  );
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return results;
}

/** Values that faults are likely to change: nonzero, not periodic, within [-1, 1]. */
export const noise = (...shape: number[]): Floats => ({
  data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => Math.sin(i * i + 1)),
  shape,
});

export const valuesOf = (tensor: ort.Tensor | undefined): number[] =>
  Array.from((tensor?.data ?? []) as ArrayLike<number | bigint>, Number);

export const shapesOf = (tensors: Readonly<Record<string, ort.Tensor>>): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { dims }]) => [name, dims]));

/** Maximum difference of two tensors; NaN if the sizes differ or a value is not finite. */
export function greatestDifference(actual: ort.Tensor | undefined, expected: ort.Tensor | undefined | number[]): number {
  const ours = valuesOf(actual);
  const theirs = Array.isArray(expected) ? expected : valuesOf(expected);
  if (ours.length !== theirs.length || ours.length === 0) return NaN;
  return ours.reduce((greatest, value, index) => Math.max(greatest, Math.abs(value - theirs[index]!)), 0);
}
