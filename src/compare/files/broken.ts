import { VoxlaneError } from '../../util/errors';

/** The error of golden files, in any form, that cannot be read. */
export function broken(problem: string, expected: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    { code: 'format', problem, expected, remedy: 'Make the bundle again, such as with models/golden_bundle.py' },
    { cause },
  );
}
