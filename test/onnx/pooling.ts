/** Statistics pooling as PyTorch exports it, for graphs of tests. */
import { int, ints, node } from './build';

/** Nodes that compute `statistics` of `map`: mean and deviation over the last axis, on axis 1. */
export const statisticsNodes = (): ReturnType<typeof node>[] => [
  node('ReduceMean', ['map'], ['mean'], { attribute: [ints('axes', -1), int('keepdims', 0)] }),
  node('ReduceMean', ['map'], ['center'], { attribute: [ints('axes', -1)] }),
  node('Sub', ['map', 'center'], ['centered']),
  node('Mul', ['centered', 'centered'], ['squared']),
  node('ReduceMean', ['squared'], ['variance'], { attribute: [ints('axes', -1), int('keepdims', 0)] }),
  node('Sqrt', ['variance'], ['deviation']),
  node('Concat', ['mean', 'deviation'], ['statistics'], { attribute: [int('axis', 1)] }),
];
