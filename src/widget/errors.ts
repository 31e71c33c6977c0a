import type { StartFailure } from '../ui-kit/player';
import { VoxlaneError } from '../util/errors';

/** The run of a detached element could not be ended by removing the element. */
export function notConnected(): VoxlaneError {
  return new VoxlaneError({
    code: 'disposed',
    problem: 'The element is not in a document',
    expected: 'an element in a document, so that removing it frees its resources',
    remedy: 'Append it first, or use diarize() of the library',
  });
}

/** `diarize()` was called without a recording. */
export function noRecording(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'There is no recording',
    expected: 'a source, or the attribute src',
    remedy: 'Pass one to diarize(), or set source or src first',
  });
}

/** @param property the property, with the position in its value */
export function badProperty(property: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem: `The property ${property} is ${found}`, expected, remedy: 'Set another value' });
}

/** `play()` was called before there was a result. */
export function nothingToPlay(): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: 'There is nothing to play',
    expected: 'a result with its recording',
    remedy: 'Wait for the event result, or set result and src',
  });
}

/** Why `play()` did not start playback. */
export function notPlayed(failure: StartFailure): VoxlaneError {
  switch (failure) {
    case 'unplayable':
      return new VoxlaneError({ code: 'audio-unsupported', problem: 'There is no recording that the browser can play', remedy: 'Set src or source to an audio file that the browser plays' });
    case 'blocked':
      return new VoxlaneError({ code: 'backend-unavailable', problem: 'The browser has blocked playback', expected: 'a click or a key press in the page first', remedy: 'Call play() from the listener of a click' });
    case 'no-output':
      return new VoxlaneError({ code: 'backend-unavailable', problem: 'There is no audio output device', remedy: 'Connect a device and call play() again' });
    case 'interrupted':
      return new VoxlaneError({ code: 'cancelled', problem: 'Playback was paused before it began' });
    case 'stopped':
      return new VoxlaneError({ code: 'audio-decode', problem: 'Playback failed', remedy: 'Check the audio output device and call play() again' });
  }
}
