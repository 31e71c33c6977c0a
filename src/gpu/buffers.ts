import { maxBindingBytes } from './adapter';
import { gpuMemory } from './context';

/**
 * Copies an array to a new buffer of {@link storageBuffer}.
 *
 * @throws VoxlaneError `gpu-memory` if kernels could not bind the whole buffer
 */
export function uploadBuffer(device: GPUDevice, label: string, values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = storageBuffer(device, label, values.length);
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** Frees the GPU memory of all parts: buffers, or objects that own some. */
export function destroyAll(...parts: readonly { destroy(): void }[]): void {
  for (const part of parts) part.destroy();
}

/**
 * Creates a buffer for kernels, uploads and readback: usages STORAGE, COPY_SRC and COPY_DST.
 *
 * @param length number of 32-bit values
 * @throws VoxlaneError `gpu-memory` if kernels could not bind the whole buffer
 */
export function storageBuffer(device: GPUDevice, label: string, length: number): GPUBuffer {
  const size = Math.max(16, 4 * length);
  const most = maxBindingBytes(device.limits);
  if (size > most) throw gpuMemory(`${label} requires ${size} bytes, but this device binds at most ${most}`);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return device.createBuffer({ label, size, usage });
}

/** A buffer that is kept for the readback of each batch. */
export class Staging {
  private readonly buffer: GPUBuffer;

  /** @param length maximum number of float32 values */
  constructor(
    private readonly device: GPUDevice,
    length: number,
  ) {
    this.buffer = device.createBuffer({ label: 'readback', size: 4 * length, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  /**
   * Copies the first `length` float32 values of `source` at the end of `encoder`, submits it, and waits.
   *
   * @throws DOMException (OperationError, AbortError) if the device was lost meanwhile
   */
  async read(encoder: GPUCommandEncoder, source: GPUBuffer, length: number): Promise<Float32Array> {
    encoder.copyBufferToBuffer(source, 0, this.buffer, 0, 4 * length);
    this.device.queue.submit([encoder.finish()]);
    await this.buffer.mapAsync(GPUMapMode.READ, 0, 4 * length);
    try {
      return new Float32Array(this.buffer.getMappedRange(0, 4 * length).slice(0));
    } finally {
      this.buffer.unmap();
    }
  }

  /** Frees the GPU memory. */
  destroy(): void {
    this.buffer.destroy();
  }
}
