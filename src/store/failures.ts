import { VoxlaneError } from '../util/errors';

/** A model file or manifest that is not there, or something else in its place. */
export function missing(address: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem: `The model file ${address} could not be fetched: ${found}`,
      expected: 'the folder models/ of this release at that address',
      remedy: 'Check the `models` option and that the server serves the folder',
    },
    { cause },
  );
}

/** A model file that is there, with other bytes than its manifest pins. */
export function altered(address: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-altered',
    problem: `The model file ${address} ${found}`,
    expected: `${expected}, as its manifest says`,
    remedy: 'Clear the browser cache, or install the file again: it was cut, changed or replaced',
  });
}

/** A model that has no address, or whose address answers with something that is no model. */
export function unavailable(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem,
      expected: 'one of the files that the manifest accepts',
      remedy: 'Fetch the file by other means and drop it on the page, or check the address that models are served from',
    },
    { cause },
  );
}

/** A download that was given up. */
export function gaveUp(address: string, reason: string, numFailures: number, received: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-download',
    problem: `The model file ${address} could not be fetched in ${numFailures} attempts, the last of which failed because ${reason}; ${received} have arrived`,
    expected: 'a connection that lasts',
    remedy: 'Try again: what has arrived is kept where the browser keeps anything. Or drop the file on the page',
  });
}

/** The caller's signal fired. */
export function cancelled(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'The fetching of the model was cancelled' });
}
