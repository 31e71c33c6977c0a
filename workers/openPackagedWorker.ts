/**
 * Takes the place of `openWorker.ts` in the npm package, where each worker is one script without imports, compiled
 * already. Bundlers copy such a script as they copy an image, whatever they would make of a worker's source.
 */
import type { WorkerName } from './openWorker';

/** Where a worker's script is. The addresses stand literally in `new URL(…, import.meta.url)`: the form that bundlers look for. */
export function addressOf(name: WorkerName): URL {
  // A bundler that writes a classic script leaves no address of its own: beside the page, then.
  if (!(import.meta.url as string | undefined)) return new URL(`voxlane/workers/${name}.js`, document.baseURI);
  switch (name) {
    case 'clustering':
      return new URL('./voxlane/workers/clustering.js', import.meta.url);
    case 'compare':
      return new URL('./voxlane/workers/compare.js', import.meta.url);
    case 'decode':
      return new URL('./voxlane/workers/decode.js', import.meta.url);
    case 'embedding':
      return new URL('./voxlane/workers/embedding.js', import.meta.url);
    case 'segmentation':
      return new URL('./voxlane/workers/segmentation.js', import.meta.url);
  }
}

export function openWorker(name: WorkerName): Worker {
  const address = addressOf(name);
  const options = { type: 'module', name: `voxlane ${name}` } as const;
  if (address.origin === self.origin) return new Worker(address, options);
  // No browser starts a worker from another origin. One of ours may import its script from there, where CORS allows it;
  // the page's Content-Security-Policy has to allow `blob:` under `worker-src`.
  const script = new Blob([`import ${JSON.stringify(address.href)};`], { type: 'text/javascript' });
  const local = URL.createObjectURL(script);
  const worker = new Worker(local, options);
  // Only the first fetch needs the address; it is over when the worker says anything, or fails.
  const revoke = (): void => {
    URL.revokeObjectURL(local);
  };
  worker.addEventListener('message', revoke, { once: true });
  worker.addEventListener('error', revoke, { once: true });
  return worker;
}
