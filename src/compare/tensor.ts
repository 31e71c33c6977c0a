/** A tensor on the CPU: float32, row-major (C order), whatever type it had where it came from. */
export interface Tensor {
  /** Size of each axis; empty for a single number. */
  readonly shape: readonly number[];
  /** All values: as many as the sizes multiply to. */
  readonly data: Float32Array;
}

/** A tensor whose axes have names, as many as `shape` has sizes: `batch`, `channel`, `sample`, `frame`, `mel`, `class`. */
export interface NamedTensor extends Tensor {
  /** As its file or stage is called. */
  readonly name: string;
  /** Name of each axis. */
  readonly axes: readonly string[];
}

/** How many values a tensor of this shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** `(1, 60, 589)`, as everybody writes shapes. */
export const shapeText = (shape: readonly number[]): string => `(${shape.join(', ')})`;
