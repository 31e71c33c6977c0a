import { WorkerHandle } from '../../../workers/handle';
import type { PeaksWorkerApi } from '../../../workers/peaksContract';

// The address must stand inside `new Worker(new URL(…))`, literally: that is the form bundlers look for.
export function spawnPeaksWorker(): WorkerHandle<PeaksWorkerApi> {
  return new WorkerHandle(
    new Worker(new URL('../../../workers/peaks.worker.ts', import.meta.url), { type: 'module', name: 'voxlane peaks' }),
    'waveform',
  );
}
