import { toFloat32, type ElementType } from './elements';

/** One tensor of a file that holds many by name. */
export interface CheckpointTensor {
  readonly name: string;
  /** As the file calls it: `F16`, `<f4`. */
  readonly dtype: string;
  /** Null where float32 cannot stand for the values. */
  readonly type: ElementType | null;
  readonly shape: readonly number[];
  /** The values, row-major and little-endian: a view of the file where they lie so. Empty where they are not in it. */
  readonly bytes: Uint8Array;
  /** What is wrong with this tensor's place in the file, in one sentence without an end; null where nothing is. */
  readonly problem: string | null;
  /** Whether `bytes` are as many as shape and type need. */
  readonly isReadable: boolean;
  /** Converted anew at each call; null where the tensor is not readable. */
  values(): Float32Array | null;
}

/** A tensor whose values are converted only where they are asked for: an audit hashes the bytes of most. */
export function checkpointTensor(parts: Omit<CheckpointTensor, 'values'>): CheckpointTensor {
  const { type, bytes, isReadable } = parts;
  return { ...parts, values: () => (isReadable && type !== null ? toFloat32(bytes, type).data : null) };
}
