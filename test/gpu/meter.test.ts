/** The counts of the tests and benchmarks, on Dawn in Node. */
import { expect, test } from 'vitest';
import { installGpuMeter } from '../browser/gpuMeter';
import { installDawn } from './dawn';
import { describeUnless } from '../skips';

const missing = await installDawn();

const SHADER = '@compute @workgroup_size(1) fn main() {}';

describeUnless(missing)('the GPU meter', () => {
  test('counts dispatches, submissions and bytes in both directions, by stage', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    // Objects that already exist are counted, too.
    const meter = installGpuMeter();
    const { COPY_DST, INDIRECT, MAP_READ, MAP_WRITE, STORAGE } = GPUBufferUsage;
    device.createBuffer({ label: 'features', size: 8, usage: STORAGE, mappedAtCreation: true }).unmap();
    expect(meter.take()).toEqual({ other: { dispatches: 0, submits: 0, bytesUp: 8, bytesBack: 0 } });

    meter.enter('segmentation');
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code: SHADER }) } });
    const indirect = device.createBuffer({ size: 12, usage: INDIRECT | COPY_DST });
    device.queue.writeBuffer(indirect, 0, Uint32Array.of(9, 1, 1, 1), 1);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.dispatchWorkgroups(2, 3);
    pass.dispatchWorkgroups(1);
    pass.dispatchWorkgroupsIndirect(indirect, 0);
    pass.end();
    device.queue.submit([encoder.finish()]);

    meter.enter('embedding');
    device.createCommandEncoder({ label: 'fbank' });
    device.queue.writeBuffer(indirect, 0, Uint32Array.of(1, 2, 3), 1, 1);
    device.queue.writeBuffer(indirect, 0, new ArrayBuffer(12), 4);
    device.createBuffer({ label: 'embedding input', size: 4, usage: STORAGE });
    const [whole, part, written] = [MAP_READ, MAP_READ, MAP_WRITE].map((usage) => device.createBuffer({ size: 32, usage }));
    await whole!.mapAsync(GPUMapMode.READ, 8);
    await part!.mapAsync(GPUMapMode.READ, 8, 16);
    await written!.mapAsync(GPUMapMode.WRITE);

    expect(meter.take()).toEqual({
      segmentation: { dispatches: 3, submits: 1, bytesUp: 12, bytesBack: 0 },
      fbank: { dispatches: 0, submits: 0, bytesUp: 12, bytesBack: 0 },
      embedding: { dispatches: 0, submits: 0, bytesUp: 0, bytesBack: 24 + 16 },
    });
    expect(meter.take()).toEqual({});
    device.destroy();
  });
});
