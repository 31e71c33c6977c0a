/** The first import of each worker of the Node build: gives a thread the globals of a browser's worker. */
import { parentPort, type Transferable } from 'node:worker_threads';

type Listener = (event: { readonly data: unknown }) => void;

if (!parentPort) throw new Error('This script runs only as a thread of Voxlane');
const port = parentPort;
const wrapped = new Map<Listener, (data: unknown) => void>();

// The container library and the runtime write warnings for their developers. Errors and notes reach the caller.
console.warn = () => undefined;

Object.assign(globalThis, {
  self: globalThis,
  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    port.postMessage(message, transfer);
  },
  addEventListener(type: string, listener: Listener): void {
    if (type !== 'message' || wrapped.has(listener)) return;
    const receive = (data: unknown): void => { listener({ data }); };
    wrapped.set(listener, receive);
    port.on('message', receive);
  },
  removeEventListener(_type: string, listener: Listener): void {
    const receive = wrapped.get(listener);
    if (receive) port.off('message', receive);
    wrapped.delete(listener);
  },
});
