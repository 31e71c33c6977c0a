import { VoxlaneError } from '../util/errors';

/** A run of an element that is nowhere could not be ended by removing it. */
export function notConnected(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The element is in no document',
    expected: 'an element that is, so that what it holds is freed when it is removed',
    remedy: 'Append it first, or use diarize() of the library',
  });
}

/** `diarize()` was called before there was anything to analyze. */
export function noRecording(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'There is no recording',
    expected: 'a source, or the attribute src',
    remedy: 'Pass one to diarize(), or set source or src first',
  });
}
