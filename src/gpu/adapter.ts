import { findGpu, isUsable } from '../util/host';
import { infoName, isSoftwareInfo } from '../util/softwareAdapter';

/** The adapter; null if there is none. Works on the page and in workers. */
export async function requestAdapter(): Promise<GPUAdapter | null> {
  const adapter = await requestAny();
  return adapter && isUsable(adapter) ? adapter : null;
}

/** Why {@link requestAdapter} returned null: the end of a sentence that begins with the name of the host. */
export async function whyNoAdapter(): Promise<string> {
  const adapter = await requestAny();
  return adapter ? `has only a WebGPU adapter that computes on the processor (${adapterName(adapter)}), slower than WASM` : 'has no WebGPU adapter';
}

const requestAny = async (): Promise<GPUAdapter | null> => (await (await findGpu())?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;

/** The adapter's name, from the information that the browser provides. */
export const adapterName = ({ info }: GPUAdapter): string => infoName(info) || 'unnamed adapter';

/** Whether an adapter computes on the processor, as far as the browser reveals it. */
export const isSoftware = ({ info }: GPUAdapter): boolean => isSoftwareInfo(info);

/** Limits that the models' large tensors require beyond WebGPU's defaults, requested at the adapter's maximum. */
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

/** Minimum limits of the models and our kernels. WebGPU guarantees them, but its compatibility mode does not. */
const MIN_LIMITS = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBuffersPerShaderStage: 8,
} as const satisfies Partial<Record<keyof GPUSupportedLimits, number>>;

/** Message about the first limit that is too low; null if all are high enough. */
export function missingLimit({ limits }: Pick<GPUAdapter, 'limits'>): string | null {
  const tooLow = Object.entries(MIN_LIMITS).find(([name, least]) => limits[name as keyof typeof MIN_LIMITS] < least);
  if (!tooLow) return null;
  const [name, least] = tooLow;
  return `${name} is ${limits[name as keyof typeof MIN_LIMITS]}, but at least ${least} is required`;
}

/** Features that enable faster kernels in ONNX Runtime. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['shader-f16', 'subgroups'];

/**
 * Requests a device with all limits and features that the models can use.
 *
 * @param more additional features, requested if the adapter supports them
 */
export function requestDevice(adapter: GPUAdapter, more: readonly GPUFeatureName[] = []): Promise<GPUDevice> {
  return adapter.requestDevice({
    requiredLimits: Object.fromEntries(RAISED_LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    requiredFeatures: [...WANTED_FEATURES, ...more].filter((feature) => adapter.features.has(feature)),
  });
}

/** Size of the largest buffer that a kernel can bind as a whole, in bytes. */
export const maxBindingBytes = ({ maxBufferSize, maxStorageBufferBindingSize }: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>): number =>
  Math.min(maxBufferSize, maxStorageBufferBindingSize);
