import { VoxlaneError } from '../../src/util/errors';

/** The typed error that `run` throws; any other is thrown on, and none is an error too. */
export function failureOf(run: () => unknown): VoxlaneError {
  try {
    run();
  } catch (error) {
    if (error instanceof VoxlaneError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
