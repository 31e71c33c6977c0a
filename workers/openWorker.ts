/** The workers of the library, by the name of their script. */
export type WorkerName = 'clustering' | 'compare' | 'decode' | 'embedding' | 'segmentation';

/**
 * Starts a worker from its source, which the app's bundler compiles. The npm package has `openPackagedWorker.ts` in this
 * module's place.
 */
export function openWorker(name: WorkerName): Worker {
  // The address must stand inside `new Worker(new URL(…))`, literally, and the options too: that is the form that Vite
  // looks for.
  switch (name) {
    case 'clustering':
      return new Worker(new URL('./clustering.worker.ts', import.meta.url), { type: 'module', name: 'voxlane clustering' });
    case 'compare':
      return new Worker(new URL('./compare.worker.ts', import.meta.url), { type: 'module', name: 'voxlane compare' });
    case 'decode':
      return new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module', name: 'voxlane decode' });
    case 'embedding':
      return new Worker(new URL('./embedding.worker.ts', import.meta.url), { type: 'module', name: 'voxlane embedding' });
    case 'segmentation':
      return new Worker(new URL('./segmentation.worker.ts', import.meta.url), { type: 'module', name: 'voxlane segmentation' });
  }
}
