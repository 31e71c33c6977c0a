import { VoxlaneError } from '../util/errors';

/** An error in a file with weights, or in how it fits a graph. */
export function invalidWeights(problem: string, expected: string, remedy: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError({ code: 'model-invalid', problem, expected, remedy }, { cause });
}
