import type { ErrorCode } from '../../../util/errors';

/** What a failure means to the person with the recording, and what helps, without the engine's details. */
export interface ErrorWords {
  /** Without a full stop: it stands alone in a list. */
  readonly problem: string;
  readonly remedy: string;
}

/** An English page shows the engine's own words and takes from here what they lack. */
export const errorsEn: Readonly<Record<ErrorCode, ErrorWords>> = {
  'audio-empty': { problem: 'The file is empty', remedy: 'Choose another file, or copy this one again' },
  'audio-unsupported': {
    problem: 'This browser cannot read the file as audio or video, or the file has no audio track',
    remedy: 'Convert the recording, to WAV for example, or choose another file',
  },
  'audio-no-samples': { problem: 'The audio track of the file is empty', remedy: 'Choose another recording, or export this one again' },
  'audio-truncated': { problem: 'The file ends before the audio that it announces', remedy: 'Copy or download the whole file again' },
  'audio-channels': { problem: 'The recording has a number of channels that cannot be mixed to mono', remedy: 'Export the recording in mono or stereo' },
  'audio-not-finite': { problem: 'The audio contains values that are not numbers', remedy: 'Export the recording again, as 16-bit PCM for example' },
  'audio-decode': { problem: 'The file is damaged: decoding stopped in the middle of it', remedy: 'Copy the file again, or convert it' },
  'audio-missing': { problem: 'The recording could not be fetched', remedy: 'Check the connection and try again, or choose another recording' },
  'source-missing': { problem: 'There is no recording at this address', remedy: 'Check the address, or choose another recording' },
  options: { problem: 'A setting is out of range or contradicts another', remedy: 'Change the setting and try again' },
  'model-missing': { problem: 'A model file could not be fetched', remedy: 'Check the connection and try again' },
  'model-download': {
    problem: 'The download of a model file was incomplete in several attempts',
    remedy: 'Try again: the download continues. If you have the file, you can drop it on the page instead',
  },
  'model-altered': { problem: 'A model file is not the expected one: its checksum differs', remedy: 'Clear the browser cache, or download the file again' },
  storage: {
    problem: 'The browser does not let the page change what it stores',
    remedy: "Allow the page to store data, or delete its data in the browser's settings",
  },
  'model-invalid': { problem: 'A model does not have the required inputs and outputs', remedy: 'Choose another model file' },
  'model-output': { problem: 'A model gave values that are not numbers', remedy: 'Run again on WASM, or with another model' },
  'backend-unavailable': { problem: 'The chosen backend is not available in this browser', remedy: 'Choose another backend, or automatic' },
  'backend-failed': { problem: 'The computation stopped and could not be resumed', remedy: 'Try again, or run on WASM' },
  'gpu-lost': { problem: 'The connection to the GPU was lost', remedy: 'Try again, or run on WASM' },
  'gpu-memory': { problem: 'The GPU does not have enough memory', remedy: 'Close other tabs that use the GPU, or run on WASM' },
  'gpu-wrong': { problem: 'The GPU gives wrong results', remedy: 'Run on WASM' },
  'worker-failed': { problem: 'A background worker of the page could not start or ended unexpectedly', remedy: 'Try again. If it fails again, close other tabs to free memory and reload the page' },
  format: { problem: 'The file cannot be read: it is damaged or of another format', remedy: 'Choose a file in one of the listed formats' },
  cancelled: { problem: 'The work was cancelled', remedy: 'Start it again' },
  disposed: { problem: 'This part of the page had already been closed', remedy: 'Reload the page' },
};

/** For what is none of the engine's failures. */
export const unexpectedEn: ErrorWords = {
  problem: 'An unexpected error occurred',
  remedy: 'Try again, or reload the page',
};

/** For a file that the browser can no longer read. */
export const unreadableEn: ErrorWords = {
  problem: 'The browser can no longer read the file: it was moved, changed or deleted',
  remedy: 'Choose the file again',
};
