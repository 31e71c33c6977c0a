/** Plants errors in WGSL kernels, for tests of the self-check and of the checks of values. */

/** One error in the source of a kernel. */
export interface PlantedError {
  /** Label of the kernel. */
  readonly kernel: string;
  /** Text that occurs in its source; each occurrence is replaced by `replace`. */
  readonly find: string;
  readonly replace: string;
}

/** Changes the networks' passes from now on. */
export interface Planter {
  /**
   * Kernels with this error replace the right ones, also those that were compiled before; null for none.
   *
   * @param only index of the only dispatch with the error, among those of the kernel in a pass; default: all
   */
  plant(error: PlantedError | null, only?: number): void;
  /** Labels of the kernels of the last pass of a network, in order. */
  readonly dispatched: readonly string[];
}

/** Labels of the passes of our networks. */
const NETWORKS: readonly (string | undefined)[] = ['segmentation', 'embedding'];

/** The source with the error, or the source itself for another kernel. */
function sourceWith(error: PlantedError | null, label: string | undefined, code: string): string {
  if (error?.kernel !== label) return code;
  if (!code.includes(error!.find)) throw new Error(`${label} does not contain ${error!.find}`);
  return code.replaceAll(error!.find, error!.replace);
}

/** Patches the WebGPU classes of this process. */
export function installPlanter(): Planter {
  let error: PlantedError | null = null;
  let only: number | undefined;
  let dispatched: string[] = [];
  /** Labels of the kernels of each pass. */
  const labels = new WeakMap<GPUComputePassEncoder, string[]>();
  /** Wrong kernels in place of the right ones, by error: compiling takes longer than a run. */
  const compiled = new Map<string, Map<GPUComputePipeline, GPUComputePipeline>>();
  let wrong = new Map<GPUComputePipeline, GPUComputePipeline>();
  const codes = new WeakMap<GPUShaderModule, GPUShaderModuleDescriptor>();
  const rebuild = new WeakMap<GPUComputePipeline, { device: GPUDevice; descriptor: GPUComputePipelineDescriptor }>();
  /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
  const { createShaderModule, createComputePipelineAsync, createComputePipeline } = GPUDevice.prototype;
  const { setPipeline } = GPUComputePassEncoder.prototype;
  const { beginComputePass } = GPUCommandEncoder.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const { label, code } = descriptor;
    const module = createShaderModule.call(this, { ...descriptor, code: sourceWith(error, label, code) });
    codes.set(module, descriptor);
    return module;
  };
  GPUDevice.prototype.createComputePipelineAsync = async function (descriptor) {
    const pipeline = await createComputePipelineAsync.call(this, descriptor);
    rebuild.set(pipeline, { device: this, descriptor });
    return pipeline;
  };
  const wrongOf = (pipeline: GPUComputePipeline): GPUComputePipeline => {
    const known = wrong.get(pipeline);
    const made = rebuild.get(pipeline);
    if (known || !made || pipeline.label !== error?.kernel) return known ?? pipeline;
    const { label, code } = codes.get(made.descriptor.compute.module)!;
    const module = createShaderModule.call(made.device, { code: sourceWith(error, label, code) });
    const own = createComputePipeline.call(made.device, { ...made.descriptor, compute: { ...made.descriptor.compute, module } });
    wrong.set(pipeline, own);
    return own;
  };
  GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
    const pass = beginComputePass.call(this, descriptor);
    const own: string[] = [];
    labels.set(pass, own);
    if (NETWORKS.includes(descriptor?.label)) dispatched = own;
    return pass;
  };
  GPUComputePassEncoder.prototype.setPipeline = function (pipeline) {
    const own = labels.get(this)!;
    const isAffected = only === undefined || own.filter((label) => label === pipeline.label).length === only;
    // The product sets a pipeline for each dispatch.
    own.push(pipeline.label);
    setPipeline.call(this, isAffected ? wrongOf(pipeline) : pipeline);
  };
  return {
    plant: (planted, onlyAt) => {
      error = planted;
      only = onlyAt;
      const key = JSON.stringify(planted);
      wrong = compiled.get(key) ?? new Map<GPUComputePipeline, GPUComputePipeline>();
      compiled.set(key, wrong);
    },
    get dispatched() {
      return dispatched;
    },
  };
}
