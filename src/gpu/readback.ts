/**
 * Copies a buffer back from the GPU: exactly the bytes asked for, through a staging buffer that is freed again.
 * Waits for all that was submitted before.
 *
 * @param buffer with usage COPY_SRC
 * @param bytes a multiple of 4; 0 gives an empty array without a round trip
 * @param encode more work for the same submission, done before the copy
 * @throws DOMException (OperationError, AbortError) where the device was lost meanwhile
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
