/** Number of values of a tensor with this shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** `(1, 60, 589)` */
export const shapeText = (shape: readonly number[]): string => `(${shape.join(', ')})`;
