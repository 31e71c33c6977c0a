/** The WGSL kernels of Transformers with arrays in place of buffers, for {@link transformerKernelTests}. */
import { uploadBuffer } from '../../src/gpu/buffers';
import { type GpuContext, readBack } from '../../src/gpu/context';
import { Gelu } from '../../src/gpu/gelu';
import { LayerNorm } from '../../src/gpu/layerNorm';
import { Program } from '../../src/gpu/program';
import { GpuAttention } from '../../src/sortformer/gpuAttention';
import type { TransformerKernels } from '../kernels/transformerKernelTests';

/** Runs each kernel by itself. Buffers are freed with the device. */
export function transformerKernels(gpu: GpuContext): TransformerKernels {
  const { device } = gpu;
  const program = new Program(device, 'test', 1);
  const upload = (values: Float32Array): GPUBuffer => uploadBuffer(device, 'test', values as Float32Array<ArrayBuffer>);
  /** Runs what `add` adds for a buffer with the values of `out`, and copies the buffer back to `out`. */
  const run = (out: Float32Array, add: (buffer: GPUBuffer) => void): Promise<void> =>
    gpu.guard(async () => {
      const buffer = upload(out);
      program.clear();
      add(buffer);
      program.upload();
      out.set(await readBack(device, buffer, out.byteLength, (encoder) => { program.encode(encoder); }));
    });
  return {
    async layerNorm({ values, norm, out, ...step }) {
      const kernel = await LayerNorm.open(device);
      await run(out, (buffer) => { kernel.add(program, { ...step, values: upload(values), norm: upload(norm), out: buffer }); });
    },
    async gelu(values) {
      const kernel = await Gelu.open(device);
      await run(values, (buffer) => { kernel.add(program, buffer, values.length); });
    },
    async attention({ projections, rotation, out, ...step }) {
      const kernel = await GpuAttention.open(device);
      await run(out, (buffer) => { kernel.add(program, { ...step, projections: upload(projections), rotation: upload(rotation), out: buffer }); });
    },
  };
}
