import { messageOf, VoxlaneError, type ErrorParts } from '../../src/util/errors';

/** Outcome of a call of the engine: a result, or the parts of the error. */
export type Answer<Result> = { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: ErrorParts };

export async function answer<Result>(work: () => Promise<Result>): Promise<Answer<Result>> {
  try {
    return { ok: true, result: await work() };
  } catch (error) {
    const parts: ErrorParts =
      error instanceof VoxlaneError ? error.toParts() : { code: 'worker-failed', problem: messageOf(error) };
    return { ok: false, error: parts };
  }
}
