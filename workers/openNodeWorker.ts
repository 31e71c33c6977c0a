/** Replaces `openWorker.ts` in the Node build: workers are threads of `node:worker_threads`. */
import { type Transferable, Worker as Thread } from 'node:worker_threads';
import { detailsOf } from '../src/util/errors';
import { enableRelaxedSimd } from '../src/util/host';
import type { WorkerName } from './openWorker';

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
    this.thread = new Thread(new URL(`./workers/${name}.js`, import.meta.url), { name: `voxlane ${name}` });
    this.thread.on('message', (data: unknown) => {
      this.settle(idOf(data));
      this.dispatchEvent(Object.assign(new Event('message'), { data }));
    });
    this.thread.on('messageerror', () => this.dispatchEvent(new Event('messageerror')));
    this.thread.on('error', (error) => this.dispatchEvent(Object.assign(new Event('error'), { message: detailsOf(error) })));
    this.thread.on('exit', () => this.dispatchEvent(new Event('close')));
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
