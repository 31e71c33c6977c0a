import type { DiarizationSource } from '../../pipeline/run';
import { VoxlaneError } from '../../util/errors';
import { fetchFile, isMissing } from '../../util/fetchFile';

/** What the engine gets and what can be played. */
export interface Recording {
  readonly input: DiarizationSource;
  /** Null where only samples are there: nothing plays them. */
  readonly sound: Blob | null;
}

/** Name of a recording for a person; null where the source has none. */
export function nameOfSource(source: DiarizationSource | string): string | null {
  if (source instanceof File) return source.name;
  if (typeof source !== 'string') return null;
  const last = source.split(/[?#]/, 1)[0]!.split('/').filter(Boolean).at(-1);
  if (last === undefined || source.startsWith('data:') || source.startsWith('blob:')) return null;
  try {
    return decodeURIComponent(last);
  } catch {
    // A per cent sign that escapes nothing.
    return last;
  }
}

/**
 * Fetches what is an address, and leaves the rest as it is.
 *
 * @throws VoxlaneError `source-missing` if the server has no such file, `audio-missing` if it cannot be fetched for another
 *   reason; `cancelled`
 */
export async function openRecording(source: DiarizationSource | string, signal: AbortSignal): Promise<Recording> {
  if (typeof source === 'string') {
    const blob = await fetchRecording(source, signal);
    return { input: blob, sound: blob };
  }
  if (source instanceof ArrayBuffer) {
    // One copy for both: the engine would else make another of its own.
    const blob = new Blob([source]);
    return { input: blob, sound: blob };
  }
  return { input: source, sound: source instanceof Blob ? source : null };
}

function fetchRecording(address: string, signal: AbortSignal): Promise<Blob> {
  return fetchFile(
    new URL(address, document.baseURI),
    (response) => response.blob(),
    (why, cause, status) =>
      new VoxlaneError(
        {
          code: isMissing(status) ? 'source-missing' : 'audio-missing',
          problem: `The recording at ${address} could not be fetched: ${why}`,
          expected: 'the address of an audio or video file that this page may read',
          remedy: 'Check the attribute src and the connection; a file on another origin needs its server to allow this page (CORS)',
        },
        { cause },
      ),
    signal,
  );
}
