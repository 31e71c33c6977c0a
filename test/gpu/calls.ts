/** Changes what WebGPU does in this process, for tests of faults: numbered calls, trivial kernels, planted errors. */

/* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */

/** Methods through which the product uses a device. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  GPUDevice: [
    'createBuffer', 'createBindGroup', 'createBindGroupLayout', 'createPipelineLayout', 'createShaderModule', 'createComputePipeline',
    'createComputePipelineAsync', 'createCommandEncoder', 'pushErrorScope', 'popErrorScope',
  ],
  GPUQueue: ['writeBuffer', 'submit', 'onSubmittedWorkDone'],
  GPUBuffer: ['mapAsync', 'getMappedRange', 'unmap', 'destroy'],
  GPUCommandEncoder: ['beginComputePass', 'clearBuffer', 'copyBufferToBuffer', 'finish'],
};

type Method = (this: unknown, ...parameters: unknown[]) => unknown;
const prototypeOf = (name: string): Record<string, Method> => (globalThis as unknown as Record<string, { prototype: Record<string, Method> }>)[name]!.prototype;

/** Calls of WebGPU methods, in order. */
export interface CallLog {
  /** Names since {@link start}. */
  readonly names: readonly string[];
  /** Clears the list. `onCall` is called before each call with its index and name. */
  start(onCall?: (index: number, name: string) => void): void;
  /** Counts no further calls. */
  stop(): void;
}

/** Counts the calls of all devices of this process from now on. */
export function logCalls(): CallLog {
  let names: string[] = [];
  let onCall: ((index: number, name: string) => void) | null = null;
  for (const [type, methods] of Object.entries(METHODS)) {
    const prototype = prototypeOf(type);
    for (const name of methods) {
      const native = prototype[name]!;
      prototype[name] = function (...parameters) {
        if (onCall) {
          names.push(name);
          onCall(names.length - 1, name);
        }
        return native.apply(this, parameters);
      };
    }
  }
  return {
    get names() {
      return names;
    },
    start: (listener = () => undefined) => {
      names = [];
      onCall = listener;
    },
    stop: () => {
      onCall = null;
    },
  };
}

/** Indices of the first, the last and some other calls of each method. */
export function spreadOf(names: readonly string[], perMethod: number): number[] {
  const indices = new Set([0, names.length - 1]);
  for (const name of new Set(names)) {
    const own = [...names.keys()].filter((index) => names[index] === name);
    for (let part = 0; part < perMethod; part++) indices.add(own[Math.round((part * (own.length - 1)) / Math.max(1, perMethod - 1))]!);
  }
  return [...indices].toSorted((a, b) => a - b);
}

/** Labels of the kernels that check values. */
const CHECKS = ['health', 'surveyMap', 'markBroken'];
/** Number of values that a trivial kernel writes: the features of the golden input, and all scores. */
const TRIVIAL_VALUES = 20_000;

/**
 * Replaces the kernels by trivial ones, which write a fixed pattern: compiling and running the real ones takes seconds
 * on a software adapter, and a test of lost devices opens many devices. The kernels that check values stay.
 */
export function installTrivialKernels(): void {
  const prototype = prototypeOf('GPUDevice');
  const native = prototype.createShaderModule!;
  prototype.createShaderModule = function (descriptor) {
    const { label, code } = descriptor as GPUShaderModuleDescriptor;
    const own = CHECKS.includes(label ?? '') ? code : trivialKernel(code);
    return native.call(this, { label, code: own });
  };
  // One workgroup writes all values.
  const pass = prototypeOf('GPUComputePassEncoder');
  const { setPipeline, dispatchWorkgroups } = pass;
  const checks = new WeakSet();
  pass.setPipeline = function (pipeline) {
    if (['survey', 'poison'].includes((pipeline as GPUComputePipeline).label)) checks.add(this as object);
    return setPipeline!.call(this, pipeline);
  };
  pass.dispatchWorkgroups = function (...counts) {
    return dispatchWorkgroups!.apply(this, checks.has(this as object) ? counts : [1]);
  };
}

function trivialKernel(code: string): string {
  const declarations = code.slice(0, code.indexOf('@compute'));
  const out = [...declarations.matchAll(/var<storage, read_write> (\w+): array<f32>/g)].at(-1)![1]!;
  // The kernel of products reports which maps that it read are not all zero.
  const reports = declarations.includes('> found:') ? 'for (var i = index; i < arrayLength(&found); i += 64u) { atomicStore(&found[i], 1u); }' : '';
  return `${declarations}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) index: u32) {
  ${reports}
  for (var i = index; i < min(arrayLength(&${out}), ${TRIVIAL_VALUES}u); i += 64u) { ${out}[i] = 0.25f + f32(i % 7u); }
}`;
}
