/** The adapter, or null where there is none. Callable on the page and in workers. */
export async function requestAdapter(): Promise<GPUAdapter | null> {
  // `navigator.gpu` is absent outside secure contexts and in browsers without WebGPU, whatever the types say.
  const gpu = (navigator as { gpu?: GPU }).gpu;
  return (await gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
}

/** The adapter's name, from what the browser says of it. */
export function adapterName({ info }: GPUAdapter): string {
  const name = [info.description || info.device, info.vendor, info.architecture].filter(Boolean).join(', ');
  return name || 'unnamed adapter';
}

/**
 * Limits that the models' large tensors need beyond WebGPU's defaults; asked for at the adapter's maximum.
 */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** What the models and our kernels cannot do without; WebGPU guarantees as much, its compatibility mode does not. */
const MIN_LIMITS = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBuffersPerShaderStage: 8,
} as const satisfies Partial<Record<keyof GPUSupportedLimits, number>>;

/** The first limit that is too low, for people to read; null where all are high enough. */
export function missingLimit({ limits }: Pick<GPUAdapter, 'limits'>): string | null {
  const tooLow = Object.entries(MIN_LIMITS).find(([name, least]) => limits[name as keyof typeof MIN_LIMITS] < least);
  if (!tooLow) return null;
  const [name, least] = tooLow;
  return `${name} is ${limits[name as keyof typeof MIN_LIMITS]}, needed are ${least}`;
}

/** Features that ONNX Runtime has faster kernels for. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['shader-f16', 'subgroups'];

/**
 * A device with all that the adapter can give to the models.
 *
 * @param more features besides, as far as the adapter has them
 */
export function requestDevice(adapter: GPUAdapter, more: readonly GPUFeatureName[] = []): Promise<GPUDevice> {
  return adapter.requestDevice({
    requiredLimits: Object.fromEntries(RAISED_LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    requiredFeatures: [...WANTED_FEATURES, ...more].filter((feature) => adapter.features.has(feature)),
  });
}
