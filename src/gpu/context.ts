import { Interruptible } from '../util/abort';
import { detailsOf, VoxlaneError } from '../util/errors';
import { adapterName, requestAdapter, requestDevice } from './adapter';
import { FREE_GPU, HOST } from '../util/host';

/**
 * Copies a buffer from the GPU to the CPU: exactly the requested bytes, through a temporary staging buffer. Waits for
 * all earlier submissions.
 *
 * @param buffer with usage COPY_SRC
 * @param bytes a multiple of 4; 0 returns an empty array without a round trip
 * @param encode adds commands to the same submission, before the copy
 * @throws DOMException (OperationError, AbortError) if the device was lost meanwhile
 */
export async function readBack(
  device: GPUDevice,
  buffer: GPUBuffer,
  bytes: number = buffer.size,
  encode?: (encoder: GPUCommandEncoder) => void,
): Promise<Float32Array> {
  if (bytes === 0) return new Float32Array(0);
  const staging = device.createBuffer({
    label: 'readback',
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = device.createCommandEncoder({ label: 'readback' });
    encode?.(encoder);
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}

/** A device and its state, shared by our kernels and the ONNX Runtime session of a worker. */
export interface GpuContext {
  readonly device: GPUDevice;
  /** Name of the adapter, as reported by the browser. */
  readonly adapterName: string;
  /**
   * Runs `work` and throws errors that WebGPU reports only through events: a lost device (the runtime resolves with
   * garbage), failed allocations and validation errors (it computes with zeros).
   *
   * @throws VoxlaneError `gpu-lost`, `gpu-memory`, `backend-failed`, and errors of `work`
   */
  guard<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** A failed call and the report of the device loss that caused it arrive in any order. */
const LOSS_REPORT_MS = 100;

/** @throws VoxlaneError `backend-unavailable` if there is no adapter, `backend-failed` if it returns no device */
export async function openGpu(): Promise<GpuContext> {
  const adapter = await requestAdapter();
  if (!adapter) {
    throw new VoxlaneError({
      code: 'backend-unavailable',
      problem: 'There is no WebGPU adapter',
      expected: `a GPU and driver that ${HOST} allows for WebGPU`,
      remedy: 'Use the backend `auto` or `wasm`',
    });
  }
  const device = await requestDevice(adapter).catch((cause: unknown) => {
    throw gpuFailed(detailsOf(cause));
  });
  const calls = new Interruptible<VoxlaneError>();
  void device.lost.then(({ message }) => {
    calls.interrupt(gpuLost(message));
  });
  const reports: VoxlaneError[] = [];
  device.addEventListener('uncapturederror', ({ error }) => {
    reports.push(error instanceof GPUOutOfMemoryError ? gpuMemory(error.message) : gpuFailed(error.message));
  });
  return {
    device,
    adapterName: adapterName(adapter),
    guard: async (work) => {
      reports.length = 0;
      try {
        const result = await calls.run(work);
        const [reported] = reports;
        if (reported) throw reported;
        return result;
      } catch (thrown) {
        // A reported error is the cause, the thrown error its consequence. The report of a loss arrives slightly
        // later.
        if (!calls.interruption) await new Promise((resolve) => setTimeout(resolve, LOSS_REPORT_MS));
        throw calls.interruption ?? reports[0] ?? (thrown instanceof VoxlaneError ? thrown : gpuFailed(detailsOf(thrown)));
      }
    },
  };
}

/**
 * Guarded `work` that uses buffers kept between batches. A buffer whose allocation failed looks like any other, but every later use of it
 * would fail, so `freeRoom` runs after a failure.
 *
 * @throws the errors of {@link GpuContext.guard}
 */
export async function guardRoom<Result>(gpu: GpuContext, freeRoom: () => void, work: () => Promise<Result>): Promise<Result> {
  try {
    return await gpu.guard(work);
  } catch (error) {
    freeRoom();
    throw error;
  }
}

/** Registers what must be destroyed if a network cannot be opened, and returns it. */
export type Own = <Part extends { destroy(): void }>(part: Part) => Part;

/**
 * Guarded opening of a network. If it fails, everything that it has registered is destroyed: weights would otherwise stay on the GPU
 * beside those of the network that runs instead.
 *
 * @throws the errors of {@link GpuContext.guard}
 */
export async function openGuarded<Result>(gpu: GpuContext, open: (own: Own) => Promise<Result>): Promise<Result> {
  const owned: { destroy(): void }[] = [];
  let hasFailed = false;
  const own: Own = (part) => {
    // Of several parts that are opened at the same time, the others may be complete later than the failure.
    if (hasFailed) part.destroy();
    else owned.push(part);
    return part;
  };
  try {
    return await gpu.guard(() => open(own));
  } catch (error) {
    hasFailed = true;
    for (const part of owned) part.destroy();
    throw error;
  }
}

function gpuLost(message: string): VoxlaneError {
  return new VoxlaneError({
    code: 'gpu-lost',
    problem: 'The GPU device was lost',
    ...(message && { details: message }),
    remedy: 'Run again, or use the backend `wasm`',
  });
}

/** The GPU ran out of memory. Also used if the runtime reports it only in a message. */
export function gpuMemory(details: string): VoxlaneError {
  return new VoxlaneError({
    code: 'gpu-memory',
    problem: 'The GPU is out of memory',
    details,
    remedy: `${FREE_GPU}, or use the backend \`wasm\``,
  });
}

function gpuFailed(details: string): VoxlaneError {
  return new VoxlaneError({
    code: 'backend-failed',
    problem: 'The WebGPU backend failed',
    details,
    remedy: 'Run again, or use the backend `wasm`',
  });
}
