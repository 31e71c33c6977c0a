import { VoxlaneError } from '../util/errors';

/** A model file or manifest is missing, or the server returned something else. */
export function missing(address: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem: `The model file ${address} could not be fetched: ${found}`,
      expected: 'the models/ folder of this release at that address',
      remedy: 'Check the `models` option and that the server serves the folder',
    },
    { cause },
  );
}

/** A model file differs from its manifest. */
export function altered(address: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-altered',
    problem: `The model file ${address} ${found}`,
    expected: `${expected}, as in its manifest`,
    remedy: 'Clear the browser cache, or install the file again: it was truncated, changed or replaced',
  });
}

/** A model has no address, or its address does not return a model. */
export function unavailable(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem,
      expected: 'one of the files listed in the manifest',
      remedy: 'Download the file in another way and drop it on the page, or check the address of the models',
    },
    { cause },
  );
}

/** A download that failed too often. */
export function gaveUp(address: string, reason: string, numFailures: number, received: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-download',
    problem: `The model file ${address} could not be fetched in ${numFailures} attempts. The last attempt failed because ${reason}, after ${received}`,
    expected: 'a stable connection',
    remedy: 'Try again. The download resumes if the browser could store the received part. Or drop the file on the page',
  });
}

/** The caller's signal fired. */
export function cancelled(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'The model download was cancelled' });
}
