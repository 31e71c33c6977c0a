
/**
 * Codes for all failures that a caller can handle. Codes are part of the public API:
 * callers branch on them, so codes are added but never renamed.
 *
 * | code | raised when |
 * |---|---|
 * | `audio-empty` | the source has no bytes |
 * | `audio-unsupported` | the file is not a supported audio or video container, or has no audio track |
 * | `audio-no-samples` | the container is valid, but its audio track has no samples |
 * | `audio-truncated` | the file ends before the last sample that its header declares |
 * | `audio-channels` | the channel count cannot be mixed to mono |
 * | `audio-not-finite` | a sample is NaN, infinite or above 1e12 |
 * | `audio-decode` | the decoder failed in the middle of the file |
 * | `audio-missing` | the recording cannot be fetched from its address |
 * | `source-missing` | the server reports that the recording does not exist (404 or 410) |
 * | `options` | an option is out of range or contradicts another |
 * | `model-missing` | a model file or manifest cannot be fetched |
 * | `model-download` | a model file could not be downloaded completely in several attempts |
 * | `model-altered` | the length or SHA-256 of a model file differs from its manifest |
 * | `storage` | the browser refuses to change the site's storage |
 * | `model-invalid` | a manifest, a graph or its weights do not have the required form |
 * | `model-output` | a model returned NaN, infinite or only zero values |
 * | `backend-unavailable` | the requested backend is not available in this environment |
 * | `backend-failed` | the backend failed during a run and could not be recovered |
 * | `gpu-lost` | the GPU device was lost (driver reset, adapter removed) and did not come back |
 * | `gpu-memory` | the GPU does not have enough memory, even for one window at a time |
 * | `gpu-wrong` | the GPU returned NaN, infinite or only zero values |
 * | `worker-failed` | a worker could not start or ended unexpectedly |
 * | `environment` | the function needs a browser, or Node, and this is the other; or a bundler for Node has left out the workers |
 * | `format` | a file other than audio or a model (RTTM, UEM, JSON, golden bundle) cannot be read |
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
  | 'environment'
  | 'format'
  | 'cancelled'
  | 'disposed';

/** The parts of a {@link VoxlaneError}, as plain data that crosses a worker boundary. */
export interface ErrorParts {
  /** Code for programmatic handling. */
  readonly code: ErrorCode;
  /** The problem, with the value that was found. */
  readonly problem: string;
  /** The expected value or state. */
  readonly expected?: string;
  /** How the caller can fix the problem. */
  readonly remedy?: string;
  /** The message of the browser or a library, for the console and for bug reports. */
  readonly details?: string;
}

/** An error with the problem, the expected value or state, and a remedy. */
export class VoxlaneError extends Error implements ErrorParts {
  /** Identifies the error if `instanceof` cannot, for example between two copies of the library. */
  override readonly name = 'VoxlaneError';
  /** Code for programmatic handling. */
  readonly code: ErrorCode;
  /** The problem, with the value that was found. */
  readonly problem: string;
  /** The expected value or state. */
  readonly expected?: string;
  /** How the caller can fix the problem. */
  readonly remedy?: string;
  /** The message of the browser or a library, for the console and for bug reports. */
  readonly details?: string;

  /** @param options `cause`: the underlying error; its text becomes `details` if `parts` has none */
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

/** Maximum length of one part of an error. Names and values from files can be long. */
const MAX_CHARACTERS = 2000;

/**
 * Replaces control characters, because names and values from files may contain them and terminals would interpret
 * them.
 */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '\uFFFD');
  return plain.length > MAX_CHARACTERS ? `${plain.slice(0, MAX_CHARACTERS)}…` : plain;
}

/** Name and message of an error from the browser or a library, for {@link ErrorParts.details}. */
export function detailsOf(thrown: unknown): string {
  if (thrown instanceof VoxlaneError) return thrown.details ?? thrown.problem;
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** The message of any thrown value, without a final period, because it is used inside sentences. */
export function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, '');
}
