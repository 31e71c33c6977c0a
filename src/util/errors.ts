
/**
 * Every failure that a caller can act on is one of these codes. A code is part of the public API:
 * callers branch on it, so it is never renamed, only added to.
 *
 * | code | raised when |
 * |---|---|
 * | `audio-empty` | the source has no bytes |
 * | `audio-unsupported` | the bytes are no audio or video container that can be read, or hold no audio track |
 * | `audio-no-samples` | the container is sound but its audio track holds no sample |
 * | `audio-truncated` | the file ends before the samples that its header promises |
 * | `audio-channels` | the channel count is outside what can be mixed to mono |
 * | `audio-not-finite` | a sample is NaN or infinite |
 * | `audio-decode` | the decoder gave up in the middle of the file |
 * | `audio-missing` | the recording cannot be fetched from its address |
 * | `source-missing` | the server answers that there is no recording at its address (404 or 410) |
 * | `options` | an option is out of range or contradicts another |
 * | `model-missing` | a model file or manifest cannot be fetched |
 * | `model-download` | a model file did not arrive whole in any of several attempts |
 * | `model-altered` | a model file does not have the bytes or the SHA-256 of its manifest |
 * | `storage` | the browser refuses to change what it stores for the page |
 * | `model-invalid` | a manifest or a graph does not have the form that the stage needs |
 * | `model-output` | a model gave NaN or infinite values |
 * | `backend-unavailable` | the backend that was asked for does not exist here |
 * | `backend-failed` | the backend stopped in mid-run and could not be recovered |
 * | `gpu-lost` | the GPU device was lost (driver reset, adapter removed) and did not come back |
 * | `gpu-memory` | the GPU has not even memory for one window at a time |
 * | `gpu-wrong` | the GPU gave NaN, infinite or only zero values |
 * | `worker-failed` | a worker could not start or died |
 * | `format` | a file that is no audio and no model (RTTM, UEM, JSON, golden bundle) cannot be read |
 * | `cancelled` | the caller's `AbortSignal` fired |
 * | `disposed` | a method was called after `dispose()` |
 */
export type ErrorCode =
  | 'audio-empty'
  | 'audio-unsupported'
  | 'audio-no-samples'
  | 'audio-truncated'
  | 'audio-channels'
  | 'audio-not-finite'
  | 'audio-decode'
  | 'audio-missing'
  | 'source-missing'
  | 'options'
  | 'model-missing'
  | 'model-download'
  | 'model-altered'
  | 'storage'
  | 'model-invalid'
  | 'model-output'
  | 'backend-unavailable'
  | 'backend-failed'
  | 'gpu-lost'
  | 'gpu-memory'
  | 'gpu-wrong'
  | 'worker-failed'
  | 'format'
  | 'cancelled'
  | 'disposed';

/** The parts of a {@link VoxlaneError}, as plain data that crosses a worker boundary. */
export interface ErrorParts {
  /** What a program branches on. */
  readonly code: ErrorCode;
  /** What was wrong, with the value that was found. */
  readonly problem: string;
  /** What was expected instead. */
  readonly expected?: string;
  /** What the caller can do about it. */
  readonly remedy?: string;
  /** The message of the browser or a library, for the console and for bug reports. */
  readonly details?: string;
}

/** A failure that says what was wrong, what was expected and what to do. */
export class VoxlaneError extends Error implements ErrorParts {
  /** Tells it from other errors where `instanceof` cannot, as between two copies of the library. */
  override readonly name = 'VoxlaneError';
  /** What a program branches on. */
  readonly code: ErrorCode;
  /** What was wrong, with the value that was found. */
  readonly problem: string;
  /** What was expected instead. */
  readonly expected?: string;
  /** What the caller can do about it. */
  readonly remedy?: string;
  /** The message of the browser or a library, for the console and for bug reports. */
  readonly details?: string;

  /** @param options `cause`: the error behind this one; its text becomes `details` if `parts` has none */
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    const sentences = [parts.problem, parts.expected && `Expected ${parts.expected}`, parts.remedy];
    super(sentences.flatMap((sentence) => (sentence ? [printable(sentence)] : [])).join('. ') + '.', options);
    this.code = parts.code;
    this.problem = printable(parts.problem);
    if (parts.expected !== undefined) this.expected = printable(parts.expected);
    if (parts.remedy !== undefined) this.remedy = parts.remedy;
    const { cause } = options ?? {};
    const details = parts.details ?? (cause === undefined ? undefined : detailsOf(cause));
    if (details !== undefined) this.details = printable(details);
  }

  /** The error as plain data, for a message between threads or for JSON. */
  toParts(): ErrorParts {
    return {
      code: this.code,
      problem: this.problem,
      ...(this.expected !== undefined && { expected: this.expected }),
      ...(this.remedy !== undefined && { remedy: this.remedy }),
      ...(this.details !== undefined && { details: this.details }),
    };
  }
}

/** Most characters of one part of an error. Names and values from files can be long. */
const MAX_CHARACTERS = 2000;

/** Replaces control characters, which names and values from files may contain and terminals would obey. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '\uFFFD');
  return plain.length > MAX_CHARACTERS ? `${plain.slice(0, MAX_CHARACTERS)}…` : plain;
}

/** The name and message of an error of a browser or a library, for {@link ErrorParts.details}. */
export function detailsOf(thrown: unknown): string {
  if (thrown instanceof VoxlaneError) return thrown.details ?? thrown.problem;
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** The text of anything that was thrown, without a full stop at its end: sentences are made of it. */
export function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, '');
}
