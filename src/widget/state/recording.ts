import type { DiarizationSource } from '../../engine/run';
import { VoxlaneError } from '../../util/errors';
import { fetchFile, isMissing } from '../../util/fetch';

/** The input of the engine, and the playable recording. */
export interface Recording {
  readonly input: DiarizationSource;
  /** Null if the source is samples, which cannot be played. */
  readonly sound: Blob | null;
}

/** Display name of a recording; null if the source has none. */
export function nameOfSource(source: DiarizationSource | string): string | null {
  if (source instanceof File) return source.name;
  if (typeof source !== 'string') return null;
  const last = source.split(/[?#]/, 1)[0]!.split('/').filter(Boolean).at(-1);
  if (last === undefined || source.startsWith('data:') || source.startsWith('blob:')) return null;
  try {
    return decodeURIComponent(last);
  } catch {
    // A percent sign that is not an escape.
    return last;
  }
}

/**
 * Fetches the recording if the source is a URL; returns other sources unchanged.
 *
 * @throws VoxlaneError `source-missing` if the server has no such file, `audio-missing` for other failures to fetch it;
 * `cancelled`
 */
export async function openRecording(source: DiarizationSource | string, signal: AbortSignal): Promise<Recording> {
  if (typeof source === 'string') {
    const blob = await fetchRecording(source, signal);
    return { input: blob, sound: blob };
  }
  if (source instanceof ArrayBuffer) {
    // One blob for both: otherwise the engine would create its own copy.
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
          expected: 'the URL of an audio or video file that this page may read',
          remedy: 'Check the attribute src and the connection; a file on another origin requires that its server allows this page (CORS)',
        },
        { cause },
      ),
    signal,
  );
}

/** Time after which the length of a recording counts as unknown: some browsers read nothing before a user gesture. */
const LONGEST_WAIT_MILLISECONDS = 3000;

/** Length of a recording in seconds according to the browser; null if the browser cannot tell. */
export async function lengthOf(sound: Blob): Promise<number | null> {
  const audio = new Audio();
  const url = URL.createObjectURL(sound);
  try {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve(null);
      }, LONGEST_WAIT_MILLISECONDS);
      const settle = (): void => {
        clearTimeout(timer);
        // Recordings of a browser have an infinite length until they were read to their end.
        resolve(Number.isFinite(audio.duration) ? audio.duration : null);
      };
      audio.addEventListener('loadedmetadata', settle, { once: true });
      audio.addEventListener('error', settle, { once: true });
      audio.preload = 'metadata';
      audio.src = url;
    });
  } finally {
    audio.removeAttribute('src');
    audio.load();
    URL.revokeObjectURL(url);
  }
}
