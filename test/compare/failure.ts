import { VoxlaneError } from '../../src/util/errors';

/** The VoxlaneError thrown by `run`. Other errors are rethrown, and a missing error also throws. */
export function failureOf(run: () => unknown): VoxlaneError {
  try {
    run();
  } catch (error) {
    if (error instanceof VoxlaneError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
