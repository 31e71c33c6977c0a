/** The library's workers, by the name of their script. */
export type WorkerName = 'clustering' | 'compare' | 'decode' | 'embedding' | 'segmentation' | 'sortformer';

/**
 * Starts a worker from its source, which the app's bundler compiles. In the npm package, `openPackagedWorker.ts`
 * replaces this module.
 */
export function openWorker(name: WorkerName): Worker {
  // Vite requires the address and the options to be literals inside `new Worker(new URL(…))`.
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
    case 'sortformer':
      return new Worker(new URL('./sortformer.worker.ts', import.meta.url), { type: 'module', name: 'voxlane sortformer' });
  }
}
