import { VoxlaneError } from './errors.ts';
import { type FileResponse, request, START_AGAIN } from './host.ts';

/**
 * Resolves an address of files that a user or a page has set.
 *
 * Accepts http, https and the page's own scheme. `data:`, `blob:` and `javascript:` addresses have no folders, and
 * they could run code or hide what is loaded.
 *
 * @param value absolute, or relative to `base`
 * @returns null for any other address
 */
export function webAddress(value: string | URL, base: string): URL | null {
  try {
    const address = new URL(value, base);
    // Pages of browser extensions and some desktop shells have their own scheme. Relative addresses keep it.
    return ['http:', 'https:', new URL(base).protocol].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}

/**
 * Creates the error for the caller. `why` ends a sentence, `cause` is the browser's error, and `status` is the HTTP
 * status if the server answered.
 */
type NotFetched = (why: string, cause?: unknown, status?: number) => VoxlaneError;

/** Whether an HTTP status means that the file does not exist, so a retry does not help. */
export const isMissing = (status: number | undefined): boolean => status === 404 || status === 410;

/**
 * Fetches a whole file. If the connection ends in mid-file, fetches it once more, without the browser's cache.
 * Besides a broken connection, Chromium is a cause: requests for the same file share one cache entry, and some of them can
 * fail if another one ends, for example the request of a worker that is terminated or of the service worker.
 *
 * The browser's message for a failed connection ("Failed to fetch", "Load failed", "NetworkError when attempting to
 * fetch resource.") becomes the `cause` of the error, because it does not help the user.
 *
 * @param read reads the body of a successful response; called again for the second response
 * @throws the error of `notFetched`, `cancelled`, and any VoxlaneError of `read`
 */
export async function fetchFile<Content>(
  address: string | URL,
  read: (response: FileResponse) => Promise<Content>,
  notFetched: NotFetched,
  signal?: AbortSignal,
): Promise<Content> {
  const failed = (why: string, cause: unknown): VoxlaneError =>
    signal?.aborted ? new VoxlaneError({ code: 'cancelled', problem: 'The run was canceled' }, { cause }) : notFetched(why, cause);
  const options: RequestInit = signal ? { signal } : {};
  for (let isSecond = false; ; isSecond = true) {
    let response: FileResponse;
    try {
      response = await request(address, isSecond ? { ...options, cache: 'reload' } : options);
    } catch (cause) {
      throw failed(connectionProblem(), cause);
    }
    if (!response.ok) throw notFetched(`the server answered ${response.status} ${response.statusText}`.trim(), undefined, response.status);
    try {
      return await read(response);
    } catch (cause) {
      if (cause instanceof VoxlaneError) throw cause;
      if (isSecond || signal?.aborted) throw failed('the connection ended before the whole file arrived', cause);
    }
  }
}

/**
 * Why a request got no answer, as the end of a sentence. Browsers give no details, because they would expose other
 * servers.
 */
export function connectionProblem(): string {
  // Node 20 has no navigator.
  const { navigator } = globalThis as { readonly navigator?: Partial<Navigator> };
  return navigator?.onLine === false ? 'this device is offline' : 'the server could not be reached';
}

/**
 * Loads a part of the code on demand.
 *
 * @param load an `import()`
 * @throws VoxlaneError `worker-failed`, with the browser's message ("Failed to fetch dynamically imported module") as
 *   the cause
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'worker-failed',
        problem: 'A part of Voxlane could not be loaded',
        expected: 'a connection to the server, and the same version of Voxlane on it',
        remedy: `Check the connection. ${START_AGAIN}`,
      },
      { cause },
    );
  }
}
