import code from './health.wgsl?raw';

const WORKGROUP = 64;
const SURVEY_WORKGROUPS = 256;
/** Of the kernel's `Flags`: counts, and a bit for each of 4096 items. */
const FLAGS_BYTES = 16 + 4096 / 8;

/**
 * Marks results with NaN if their GPU source values were broken.
 *
 * Features stay on the GPU, so the CPU cannot see if a driver computed zeros or NaN, and a network can hide a NaN
 * (`max(NaN, 0)` is 0 on some hardware). Therefore, counting and marking run on the GPU, and the CPU detects the
 * failure in the result that it reads anyway.
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

  /**
   * Counts the broken values of `buffer` (float32) and resets earlier counts.
   *
   * @param numItems number of parts of equal length, such as windows: none may be all zero
   */
  look(encoder: GPUCommandEncoder, buffer: GPUBuffer, bytes: number, numItems = 1): void {
    encoder.clearBuffer(this.flags);
    this.dispatch(encoder, this.survey, buffer, bytes, [SURVEY_WORKGROUPS, numItems]);
  }

  /** Fills `buffer` (float32) with NaN if the last counted values were broken. */
  mark(encoder: GPUCommandEncoder, buffer: GPUBuffer, bytes: number): void {
    this.dispatch(encoder, this.poison, buffer, bytes, [Math.ceil(bytes / 4 / WORKGROUP)]);
  }

  /** Frees the GPU memory of the flags. */
  destroy(): void {
    this.flags.destroy();
  }

  private dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    buffer: GPUBuffer,
    size: number,
    workgroups: [number, number?],
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
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  }
}
