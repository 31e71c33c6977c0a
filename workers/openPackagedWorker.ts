/**
 * Replaces `openWorker.ts` in the npm package. There, each worker is one compiled script without imports. Bundlers
 * copy such a script unchanged, like an image, however they handle the source of workers.
 */
import type { WorkerName } from './openWorker';

/** Address of a worker's script. */
export function addressOf(name: WorkerName): URL {
  // Turbopack replaces the addresses of files by objects that look like a URL but have a relative `href` and no origin.
  return new URL(fileOf(name).href, self.location.href);
}

/** Bundlers look for the literal form `new URL(…, import.meta.url)`. */
function fileOf(name: WorkerName): URL {
  // A classic script from a bundler has no address of its own, so the folder next to the page is used.
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
    case 'sortformer':
      return new URL('./voxlane/workers/sortformer.js', import.meta.url);
  }
}

export function openWorker(name: WorkerName): Worker {
  const address = addressOf(name);
  const options = { type: 'module', name: `voxlane ${name}` } as const;
  if (address.origin === self.origin) return new Worker(address, options);
  // Browsers do not start workers from another origin. A local worker can import its script from there if CORS allows
  // it. The page's Content-Security-Policy must allow `blob:` under `worker-src`.
  const script = new Blob([`import ${JSON.stringify(address.href)};`], { type: 'text/javascript' });
  const local = URL.createObjectURL(script);
  const worker = new Worker(local, options);
  // Only the first fetch needs the address. It is complete at the first message or error of the worker.
  const revoke = (): void => {
    URL.revokeObjectURL(local);
  };
  worker.addEventListener('message', revoke, { once: true });
  worker.addEventListener('error', revoke, { once: true });
  return worker;
}
