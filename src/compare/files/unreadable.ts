import { VoxlaneError } from '../../util/errors';

/** The error for a file that was moved, changed or removed after it was opened. */
export const unreadable = (name: string, cause: unknown): VoxlaneError =>
  new VoxlaneError(
    {
      code: 'format',
      problem: `The file ${name} could not be read`,
      expected: 'a file that stays where it is, and unchanged',
      remedy: 'Choose it again. It may have been moved or changed',
    },
    { cause },
  );
