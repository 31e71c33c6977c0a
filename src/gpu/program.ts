import { compileKernel, computeLayout } from './compile';

/** Source of a kernel whose binding 0 is a uniform block of parameters. */
export interface KernelSource {
  readonly label: string;
  readonly code: string;
  /** Types of the bindings from 1. */
  readonly buffers: readonly GPUBufferBindingType[];
  /** Values of the module's `override` declarations. */
  readonly constants?: Record<string, number>;
}

/** A compiled kernel. */
export interface Kernel {
  readonly label: string;
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: GPUComputePipeline;
}

/** Size of the parameter block of every kernel, in 32-bit values. */
const PARAMETERS = 24;

const kernelsOf = new WeakMap<GPUDevice, Map<string, Promise<Kernel>>>();

/**
 * Compiles a kernel, once for each device and set of constants.
 *
 * @throws VoxlaneError `backend-failed` if the kernel does not compile
 */
export function openKernel(device: GPUDevice, source: KernelSource): Promise<Kernel> {
  const known = kernelsOf.get(device) ?? new Map<string, Promise<Kernel>>();
  kernelsOf.set(device, known);
  const key = `${source.label} ${JSON.stringify(source.constants ?? {})}`;
  let kernel = known.get(key);
  if (!kernel) {
    kernel = compile(device, source);
    known.set(key, kernel);
  }
  return kernel;
}

async function compile(device: GPUDevice, { label, code, buffers, constants = {} }: KernelSource): Promise<Kernel> {
  const uniform = { type: 'uniform', hasDynamicOffset: true, minBindingSize: 4 * PARAMETERS } as const;
  const layout = computeLayout(device, label, [uniform, ...buffers]);
  return { label, layout, pipeline: await compileKernel(device, { label, code, layout, constants }) };
}

/** The bits of a float32, for a float in a block of parameters. */
export function floatBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}
const scratch = new DataView(new ArrayBuffer(4));

interface Step {
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly number[];
}

/**
 * The dispatches of a network. They are listed again for each batch, because their sizes change, but nothing is
 * allocated on the GPU: one buffer holds the parameters of all dispatches, and bind groups are kept.
 */
export class Program {
  private readonly stride: number;
  private readonly values: Uint32Array<ArrayBuffer>;
  private readonly parameters: GPUBuffer;
  private readonly groups = new Map<string, GPUBindGroup>();
  private readonly bufferIds = new WeakMap<GPUBuffer, number>();
  private numBuffers = 0;
  private steps: Step[] = [];

  /** @param maxDispatches maximum number of dispatches of a batch */
  constructor(
    private readonly device: GPUDevice,
    private readonly label: string,
    private readonly maxDispatches: number,
  ) {
    this.stride = Math.max(4 * PARAMETERS, device.limits.minUniformBufferOffsetAlignment);
    this.values = new Uint32Array((maxDispatches * this.stride) / 4);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.parameters = device.createBuffer({ label: `${label} parameters`, size: this.values.byteLength, usage });
  }

  /** Number of dispatches listed since {@link clear}. */
  get numDispatches(): number {
    return this.steps.length;
  }

  /** Starts a new list. */
  clear(): void {
    this.steps = [];
  }

  /**
   * Adds a dispatch to the list.
   *
   * @param buffers of the bindings from 1
   * @param parameters the kernel's block, 32-bit values; floats as {@link floatBits}
   * @param workgroups along x, y and z
   * @param isTransient whether a buffer belongs to the caller, who destroys it after the batch
   */
  add(kernel: Kernel, buffers: readonly GPUBuffer[], parameters: readonly number[], workgroups: readonly number[], isTransient = false): void {
    const index = this.steps.length;
    if (index === this.maxDispatches) throw new RangeError(`${this.label} has more than ${this.maxDispatches} dispatches`);
    this.values.set(parameters, (index * this.stride) / 4);
    this.steps.push({ kernel, group: isTransient ? this.makeGroup(kernel, buffers) : this.groupOf(kernel, buffers), workgroups });
  }

  /** Uploads the parameters of all listed dispatches. Submit those before the next list. */
  upload(): void {
    this.device.queue.writeBuffer(this.parameters, 0, this.values, 0, (this.steps.length * this.stride) / 4);
  }

  /** Records the listed dispatches from `first` to `end` in one pass. */
  encode(encoder: GPUCommandEncoder, first = 0, end = this.steps.length): void {
    const pass = encoder.beginComputePass({ label: this.label });
    for (let index = first; index < end; index++) {
      const { kernel, group, workgroups } = this.steps[index]!;
      const [x = 1, y = 1, z = 1] = workgroups;
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, group, [index * this.stride]);
      pass.dispatchWorkgroups(x, y, z);
    }
    pass.end();
  }

  /** Forgets the bind groups. Call it after buffers have been replaced. */
  forgetBuffers(): void {
    this.groups.clear();
  }

  /** Frees the parameters. The buffers of the dispatches belong to the caller. */
  destroy(): void {
    this.parameters.destroy();
    this.groups.clear();
  }

  private groupOf(kernel: Kernel, buffers: readonly GPUBuffer[]): GPUBindGroup {
    const key = `${kernel.label} ${buffers.map((buffer) => this.idOf(buffer)).join()}`;
    const known = this.groups.get(key);
    if (known) return known;
    const group = this.makeGroup(kernel, buffers);
    this.groups.set(key, group);
    return group;
  }

  private makeGroup({ label, layout }: Kernel, buffers: readonly GPUBuffer[]): GPUBindGroup {
    const parameters = { buffer: this.parameters, size: 4 * PARAMETERS };
    const resources: GPUBufferBinding[] = [parameters, ...buffers.map((buffer) => ({ buffer }))];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return this.device.createBindGroup({ label, layout, entries });
  }

  private idOf(buffer: GPUBuffer): number {
    const known = this.bufferIds.get(buffer);
    if (known !== undefined) return known;
    this.bufferIds.set(buffer, this.numBuffers);
    return this.numBuffers++;
  }
}
