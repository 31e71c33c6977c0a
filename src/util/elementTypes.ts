/** Value types that can be converted to float32. */
export type ElementType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float8e4m3fn'
  | 'float8e5m2'
  | 'float8e4m3fnuz'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64';

/** Size of one value in bytes. */
export const BYTES_PER_ELEMENT: Readonly<Record<ElementType, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float8e4m3fn: 1,
  float8e5m2: 1,
  float8e4m3fnuz: 1,
  float8e5m2fnuz: 1,
  float8e8m0: 1,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};
