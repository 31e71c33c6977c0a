import { detailsOf, VoxlaneError } from '../util/errors';
import { HOST } from '../util/host';

/** A WGSL module with one entry point named `main`. */
interface KernelSource {
  /** Shown in errors and in the browser's GPU tools. */
  readonly label: string;
  readonly code: string;
  readonly layout: GPUBindGroupLayout;
  /** Values of the module's `override` declarations. */
  readonly constants?: Record<string, number>;
}

/**
 * Compiles a kernel. WebGPU reports compilation errors only to the console and continues with a pipeline that does
 * nothing. This function throws an error with the position instead.
 *
 * @throws VoxlaneError `backend-failed` with line, column and text of the WGSL line in its `details`
 */
export async function compileKernel(device: GPUDevice, source: KernelSource): Promise<GPUComputePipeline> {
  const { label, code, layout, constants = {} } = source;
  // The scope only prevents a second report of the failure as an uncaptured error.
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code });
  const failure = device.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  const error = messages.find(({ type }) => type === 'error');
  if (error) throw compileError(label, code, error);
  const rejected = await failure;
  if (rejected) throw kernelError(label, rejected.message);
  try {
    return await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main', constants },
    });
  } catch (thrown) {
    throw kernelError(label, detailsOf(thrown), { cause: thrown });
  }
}

function compileError(label: string, code: string, { lineNum, linePos, message }: GPUCompilationMessage): VoxlaneError {
  const line = code.split('\n')[lineNum - 1]?.trim();
  return kernelError(label, `line ${lineNum}, column ${linePos}: ${message.trim()}${line ? `: ${line}` : ''}`);
}

function kernelError(label: string, details: string, options?: ErrorOptions): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'backend-failed',
      problem: `The GPU kernel ${label} does not compile`,
      details,
      remedy: `Use the backend 'wasm', and report this with the adapter and the version of ${HOST}`,
    },
    options,
  );
}

/** Creates the bind group layout of a kernel, with the types or descriptions of its buffers in binding order. */
export function computeLayout(
  device: GPUDevice,
  label: string,
  types: readonly (GPUBufferBindingType | GPUBufferBindingLayout)[],
): GPUBindGroupLayout {
  const entries = types.map((type, binding) => {
    const buffer = typeof type === 'string' ? { type } : type;
    return { binding, visibility: GPUShaderStage.COMPUTE, buffer };
  });
  return device.createBindGroupLayout({ label, entries });
}

/** Target of commands: an open pass, or an encoder in which a pass is opened and ended. */
export type CommandTarget = GPUCommandEncoder | GPUComputePassEncoder;

/** Calls `body` with a compute pass of `target`. */
export function inComputePass(target: CommandTarget, label: string, body: (pass: GPUComputePassEncoder) => void): void {
  if (!('beginComputePass' in target)) {
    body(target);
    return;
  }
  const pass = target.beginComputePass({ label });
  body(pass);
  pass.end();
}
