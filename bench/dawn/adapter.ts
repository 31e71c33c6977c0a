/** The adapter that the engine uses, and its peak rate. */
import { findDawn } from '../../src/util/nodeDawn';
import { isSoftwareInfo } from '../../src/util/softwareAdapter';

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
  'minUniformBufferOffsetAlignment',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isSoftware: boolean;
  readonly features: readonly string[];
  /** Limits that batches and kernels of the product depend on. */
  readonly limits: Readonly<Record<(typeof LIMITS)[number], number>>;
}

/** Requests an adapter with the product's options. @throws Error with a one-line message if there is none */
export async function openAdapter(): Promise<GPUAdapter> {
  const gpu = await findDawn();
  if (!gpu) throw new Error(`the package webgpu cannot be loaded on ${process.platform}-${process.arch}. Install it with "npm install webgpu"`);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return adapter;
  const driver = process.env.VK_ICD_FILENAMES;
  throw new Error(
    'there is no WebGPU adapter. Install the GPU driver with its Vulkan part and libvulkan.so.1, or set VK_ICD_FILENAMES to the ' +
      `manifest of a driver${driver === undefined ? '' : ` (now ${driver})`}`,
  );
}

export function adapterFacts({ info, features, limits }: GPUAdapter): AdapterFacts {
  const { vendor, architecture, device, description } = info;
  return {
    vendor,
    architecture,
    device,
    description,
    isSoftware: isSoftwareInfo(info),
    features: [...features].sort(),
    limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])) as AdapterFacts['limits'],
  };
}

/** Independent chains per invocation, enough to fill the pipelines of a core. */
const CHAINS = 8;
/** Multiply-adds per chain and step of the loop. */
const UNROLLED = 8;
const LANES = 4;
const WORKGROUP = 256;
/** A million invocations: several rounds on the largest GPUs. */
const WORKGROUPS = 4096;
/** A software adapter takes seconds for the whole grid, and minutes on a busy machine. */
const SOFTWARE_WORKGROUPS = 64;
const MIN_SECONDS = 0.2;
const ROUNDS = 3;

/** Floating-point operations of the kernel: two per multiply-add. */
export const peakFlops = (numSteps: number, numWorkgroups: number): number =>
  2 * LANES * CHAINS * UNROLLED * WORKGROUP * numWorkgroups * numSteps;

/** Forms of a multiply-add. Drivers fuse the second one too, and software adapters compute the first one slowly. */
const FORMS = {
  fma: (value: string) => `fma(${value}, params.scale, params.shift)`,
  separate: (value: string) => `${value} * params.scale + params.shift`,
} as const;

/** The factors keep all values finite, and come from memory, so that nothing is computed at compile time. */
export function peakCode(form: keyof typeof FORMS): string {
  const names = Array.from({ length: CHAINS }, (_, chain) => `a${chain}`);
  const starts = names.map((name, chain) => `  var ${name} = params.start + f32(place.x + ${chain}u);`);
  const round = names.map((name) => `    ${name} = ${FORMS[form](name)};`).join('\n');
  return `struct Params { start: vec4f, scale: vec4f, shift: vec4f, numSteps: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) place: vec3u) {
${starts.join('\n')}
  for (var step = 0u; step < params.numSteps; step++) {
${Array.from({ length: UNROLLED }, () => round).join('\n')}
  }
  out[place.x % ${WORKGROUP}u] = ${names.join(' + ')};
}
`;
}

/** Best rate of independent float32 multiply-adds, in FLOP/s. */
export async function measurePeak(adapter: GPUAdapter): Promise<number> {
  const device = await adapter.requestDevice();
  const { globals } = await import('webgpu');
  const { GPUBufferUsage: usage } = globals as { GPUBufferUsage: typeof GPUBufferUsage };
  const numWorkgroups = isSoftwareInfo(adapter.info) ? SOFTWARE_WORKGROUPS : WORKGROUPS;
  try {
    const params = device.createBuffer({ size: 64, usage: usage.UNIFORM | usage.COPY_DST });
    const out = device.createBuffer({ size: 16 * WORKGROUP, usage: usage.STORAGE });
    let best = 0;
    for (const form of ['fma', 'separate'] as const) best = Math.max(best, await measureForm(device, form, [params, out], numWorkgroups));
    return best;
  } finally {
    device.destroy();
  }
}

async function measureForm(device: GPUDevice, form: keyof typeof FORMS, buffers: readonly [GPUBuffer, GPUBuffer], numWorkgroups: number): Promise<number> {
  const module = device.createShaderModule({ label: 'peak', code: peakCode(form) });
  const pipeline = await device.createComputePipelineAsync({ label: 'peak', layout: 'auto', compute: { module, entryPoint: 'main' } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const secondsOf = async (numSteps: number): Promise<number> => {
    const values = new DataView(new ArrayBuffer(64));
    for (let lane = 0; lane < LANES; lane++) [1, 0.999, 0.001].forEach((value, field) => { values.setFloat32(16 * field + 4 * lane, value, true); });
    values.setUint32(48, numSteps, true);
    device.queue.writeBuffer(buffers[0], 0, values.buffer);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(numWorkgroups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1000;
  };
  await secondsOf(1);
  let numSteps = 1;
  while ((await secondsOf(numSteps)) < MIN_SECONDS) numSteps *= 2;
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) least = Math.min(least, await secondsOf(numSteps));
  return peakFlops(numSteps, numWorkgroups) / least;
}
