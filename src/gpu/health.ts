import code from './health.wgsl?raw';

const WORKGROUP = 64;
const SURVEY_WORKGROUPS = 256;
const FLAGS_BYTES = 12;

/**
 * Carries word of broken GPU values into a result that comes back anyway.
 *
 * Features never leave the GPU, so the CPU cannot see that a driver made zeros or NaN of them, and a network can
 * swallow a NaN (`max(NaN, 0)` is 0 on some hardware). Counting and poisoning are done on the GPU.
 */
export class HealthGuard {
  private readonly flags: GPUBuffer;
  private readonly survey: GPUComputePipeline;
  private readonly poison: GPUComputePipeline;

  constructor(private readonly device: GPUDevice) {
    const module = device.createShaderModule({ label: 'health', code });
    const pipeline = (entryPoint: string) =>
      device.createComputePipeline({ label: entryPoint, layout: 'auto', compute: { module, entryPoint } });
    this.survey = pipeline('survey');
    this.poison = pipeline('poison');
    this.flags = device.createBuffer({
      label: 'health flags',
      size: FLAGS_BYTES,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
  }

  /** Counts the broken values of `buffer`, float32, and forgets those of before. */
  look(encoder: GPUCommandEncoder, buffer: GPUBuffer, bytes: number): void {
    encoder.clearBuffer(this.flags);
    this.dispatch(encoder, this.survey, buffer, bytes, SURVEY_WORKGROUPS);
  }

  /** Makes all of `buffer`, float32, NaN where the values that were looked at last were broken. */
  mark(encoder: GPUCommandEncoder, buffer: GPUBuffer, bytes: number): void {
    this.dispatch(encoder, this.poison, buffer, bytes, Math.ceil(bytes / 4 / WORKGROUP));
  }

  /** Frees the memory of the flags on the GPU. */
  destroy(): void {
    this.flags.destroy();
  }

  private dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    buffer: GPUBuffer,
    size: number,
    workgroups: number,
  ): void {
    const bindGroup = this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer, size } },
        { binding: 1, resource: { buffer: this.flags } },
      ],
    });
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups);
    pass.end();
  }
}
