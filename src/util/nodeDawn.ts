/** WebGPU in Node: Dawn, from the optional package `webgpu`. */
import { tmpdir } from 'node:os';
import { isMainThread } from 'node:worker_threads';

let opening: Promise<GPU | undefined> | undefined;

/** Undefined if the package is not installed, or not for this platform. */
export const findDawn = (): Promise<GPU | undefined> => (opening ??= openDawn());

async function openDawn(): Promise<GPU | undefined> {
  try {
    // Vulkan drivers complain without it.
    process.env.XDG_RUNTIME_DIR ??= tmpdir();
    const { create, globals } = await import('webgpu');
    const gpu = create([]);
    // The thread of the program keeps its globals. It only looks for an adapter.
    if (!isMainThread) installGpu(gpu, globals);
    return gpu;
  } catch {
    return undefined;
  }
}

/** Defines Dawn's classes on the global object and its GPU as `navigator.gpu`, which ONNX Runtime requires. */
export function installGpu(gpu: GPU, globals: object, navigator: object = {}): void {
  Object.assign(globalThis, globals);
  copySharedMemory();
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { ...navigator, gpu } });
}

/** Dawn's `writeBuffer` rejects views of shared memory, such as the heap of ONNX Runtime (webgpu 0.6.2). */
function copySharedMemory(): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (this: GPUQueue, buffer, offset, data, ...part: (number | undefined)[]) {
    const isShared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    const owned = isShared ? Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) : data;
    const given = part.filter((value) => value !== undefined);
    (writeBuffer as (...values: unknown[]) => undefined).call(this, buffer, offset, owned, ...given);
  };
}
