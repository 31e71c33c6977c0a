/** Replaces `openWorker.ts` in the Node build: workers are threads of `node:worker_threads`. */
import { existsSync } from 'node:fs';
import { type Transferable, Worker } from 'node:worker_threads';
import { releaseLocksOf } from '../src/store/nodeLock';
import { detailsOf, VoxlaneError } from '../src/util/errors';
import { enableRelaxedSimd } from '../src/util/host';
import type { WorkerName } from './openWorker';

/** Bundlers replace `new Worker(…)` and bundle its script again. A subclass keeps the script of the package. */
class Thread extends Worker {}

/** Address of a thread's script. Bundlers look for the literal form `new URL(…, import.meta.url)` and copy the file. */
function addressOf(name: WorkerName): URL {
  // A copy may be in a folder of CommonJS scripts, where only this ending makes it a module.
  switch (name) {
    case 'clustering':
      return new URL('./workers/clustering.mjs', import.meta.url);
    case 'compare':
      return new URL('./workers/compare.mjs', import.meta.url);
    case 'decode':
      return new URL('./workers/decode.mjs', import.meta.url);
    case 'embedding':
      return new URL('./workers/embedding.mjs', import.meta.url);
    case 'segmentation':
      return new URL('./workers/segmentation.mjs', import.meta.url);
    case 'sortformer':
      return new URL('./workers/sortformer.mjs', import.meta.url);
  }
}

/** @throws VoxlaneError `environment` if a bundler has moved this module away from the scripts */
function scriptOf(name: WorkerName): URL {
  let cause: unknown;
  try {
    const address = addressOf(name);
    if (existsSync(address)) return address;
  } catch (thrown) {
    // In CommonJS, this module has no address.
    cause = thrown;
  }
  throw new VoxlaneError(
    {
      code: 'environment',
      problem: `A bundler has included voxlane without the script of its ${name} worker`,
      expected: 'voxlane as a package in node_modules',
      remedy: 'Make voxlane and voxlane-assets external packages of the server build',
    },
    { cause },
  );
}

/** A call of Comlink and its reply have the same `id`. */
const idOf = (message: unknown): string | null =>
  typeof message === 'object' && message !== null && 'id' in message && typeof message.id === 'string' ? message.id : null;

/** The part of a browser's `Worker` that the library uses. It keeps the process alive only while a call is pending. */
class NodeWorker extends EventTarget {
  private readonly thread: Thread;
  private readonly pending = new Set<string>();

  constructor(name: WorkerName) {
    super();
    enableRelaxedSimd();
    // Without the flags of the process: `--input-type` and loaders are not for this script.
    this.thread = new Thread(scriptOf(name), { name: `voxlane ${name}`, execArgv: [] });
    this.thread.on('message', (data: unknown) => {
      this.settle(idOf(data));
      this.dispatchEvent(Object.assign(new Event('message'), { data }));
    });
    this.thread.on('messageerror', () => this.dispatchEvent(new Event('messageerror')));
    this.thread.on('error', (error) => this.dispatchEvent(Object.assign(new Event('error'), { message: detailsOf(error) })));
    // After its end, a thread has no id.
    const { threadId } = this.thread;
    this.thread.on('exit', () => {
      releaseLocksOf(threadId);
      this.dispatchEvent(new Event('close'));
    });
    // After the listeners: a new listener lets the thread keep the process alive.
    this.thread.unref();
  }

  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    this.thread.postMessage(message, transfer);
    const id = idOf(message);
    if (id === null) return;
    this.pending.add(id);
    this.thread.ref();
  }

  terminate(): void {
    this.pending.clear();
    this.thread.unref();
    void this.thread.terminate();
  }

  private settle(id: string | null): void {
    if (id !== null && this.pending.delete(id) && this.pending.size === 0) this.thread.unref();
  }
}

export const openWorker = (name: WorkerName): Worker => new NodeWorker(name) as unknown as Worker;
