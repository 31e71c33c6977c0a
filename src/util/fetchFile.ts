import { VoxlaneError } from './errors';

/**
 * Makes the error that a caller gets. `why` ends a sentence, `cause` is what the browser threw, `status` is the HTTP status if
 * a server answered.
 */
export type NotFetched = (why: string, cause?: unknown, status?: number) => VoxlaneError;

/** Whether an HTTP status means that the address has no file, so that another try does not help. */
export const isMissing = (status: number | undefined): boolean => status === 404 || status === 410;

/**
 * Fetches a file whole.
 *
 * What browsers say about a failed connection ("Failed to fetch", "Load failed", "NetworkError when attempting to fetch
 * resource.") becomes the `cause` of the error, because it does not help the user.
 *
 * @param read takes what it needs from an answer with a good status
 * @throws the error that `notFetched` makes, `cancelled`, and any VoxlaneError of `read`
 */
export async function fetchFile<Content>(
  address: string | URL,
  read: (response: Response) => Promise<Content>,
  notFetched: NotFetched,
  signal?: AbortSignal,
): Promise<Content> {
  const failed = (why: string, cause: unknown): VoxlaneError =>
    signal?.aborted ? new VoxlaneError({ code: 'cancelled', problem: 'The run was cancelled' }, { cause }) : notFetched(why, cause);
  let response: Response;
  try {
    response = await fetch(address, signal && { signal });
  } catch (cause) {
    throw failed(connectionProblem(), cause);
  }
  if (!response.ok) throw notFetched(`the server answered ${response.status} ${response.statusText}`.trim(), undefined, response.status);
  try {
    return await read(response);
  } catch (cause) {
    if (cause instanceof VoxlaneError) throw cause;
    throw failed('the connection ended before the whole file was here', cause);
  }
}

/** Why a request got no answer, as the end of a sentence. Browsers give no details, which would expose other servers. */
export function connectionProblem(): string {
  // Node 20 has no navigator.
  const { navigator } = globalThis as { readonly navigator?: Partial<Navigator> };
  return navigator?.onLine === false ? 'this device is offline' : 'the server could not be reached';
}
