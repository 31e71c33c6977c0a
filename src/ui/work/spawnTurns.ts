import { VoxlaneError } from '../../util/errors';
import { WorkerHandle } from '../../../workers/handle';
import type { TurnsWorkerApi } from './turnsContract';

/** Uses a worker for large numbers of turns. The worker ends afterwards, which frees its memory. */
export async function withTurnsWorker<Result>(use: (worker: WorkerHandle<TurnsWorkerApi>) => Promise<Result>): Promise<Result> {
  // The address must stand inside `new Worker(new URL(…))`, literally: that is the form bundlers look for.
  const worker = new WorkerHandle<TurnsWorkerApi>(new Worker(new URL('./turns.worker.ts', import.meta.url), { type: 'module', name: 'voxlane turns' }), 'turns');
  try {
    return await use(worker);
  } finally {
    worker.terminate(new VoxlaneError({ code: 'disposed', problem: 'The work on the turns is done' }));
  }
}
