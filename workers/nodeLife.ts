/** Replaces `life.ts` in the Node build. There, the worker itself reports its end. */
import { backgroundTimer } from '../src/util/host';
import type { EndOfLife } from './life';

/** Limit for starting a worker. Generous, because machines can be slow. */
const START_MS = 120_000;

/** Nothing to hold: a thread of Node cannot end unnoticed. */
export const announceLife = (post: (message: null) => void): Promise<void> => {
  // The first message shows that the worker has started.
  post(null);
  return Promise.resolve();
};

/** Calls `onEnd` once if the worker ends by itself or does not start in time. @returns ends the watch */
export function watchLife(worker: Pick<Worker, 'addEventListener' | 'removeEventListener'>, onEnd: (how: EndOfLife) => void): () => void {
  const starting = backgroundTimer(() => { end('never-started'); }, START_MS);
  const onMessage = (): void => { clearTimeout(starting); };
  const onClose = (): void => { end('ended'); };
  const end = (how: EndOfLife): void => {
    stop();
    onEnd(how);
  };
  const stop = (): void => {
    clearTimeout(starting);
    worker.removeEventListener('message', onMessage);
    worker.removeEventListener('close', onClose);
  };
  worker.addEventListener('message', onMessage);
  worker.addEventListener('close', onClose);
  return stop;
}
