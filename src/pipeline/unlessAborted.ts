import { cancelled } from './engine';

/**
 * Settles like `work`, or rejects with `cancelled` as soon as `signal` fires: for what cannot be interrupted and ends
 * unheard. Is not begun where the signal has fired already.
 *
 * @param discard takes what comes too late, where that has to be freed
 */
export function unlessAborted<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
  discard?: (late: Result) => void,
): Promise<Result> {
  if (!signal) return work();
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      reject(cancelled(signal));
    };
    if (signal.aborted) {
      cancel();
      return;
    }
    signal.addEventListener('abort', cancel);
    void work()
      .then((result) => {
        if (signal.aborted) discard?.(result);
        resolve(result);
      }, reject)
      .finally(() => {
        signal.removeEventListener('abort', cancel);
      });
  });
}
