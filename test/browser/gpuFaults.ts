import type { Page } from '@playwright/test';
import { injectOnce } from './vanish';

/** A faulty GPU, simulated by patching the WebGPU API, which requires no code in the product. */
export interface GpuFault {
  /** Affected stage. */
  readonly stage: 'segmentation' | 'fbank' | 'embedding';
  /** Wrong values, zeros, NaN, a lost device, or too little memory. */
  readonly kind: 'perturb' | 'zeros' | 'nan' | 'lost' | 'memory';
  /** Number of runs of the stage before the fault; runs of the self-check count. Default 0. */
  readonly afterRuns?: number;
  /** Results with fewer bytes are correct, for faults that depend on the batch size or length. Default 0: all are affected. */
  readonly fromBytes?: number;
  /** For `memory`: results with more bytes do not fit. Default 0: nothing fits. */
  readonly fitsBytes?: number;
}

/**
 * Patches the WebGPU classes of the current thread. It must not refer to outer scope, because its source is also sent to
 * browser workers.
 *
 * A model run ends with one copy into a buffer labeled `readback`. A filterbank run binds one buffer labeled `features`
 * in groups labeled `fbank`, and submits them.
 *
 * @returns a function that replaces the fault, or removes it with null
 */
export function installGpuFault(initial: GpuFault | null): (fault: GpuFault | null) => void {
  let current = initial;
  let runs = 0;
  let features: { device: GPUDevice; buffer: GPUBuffer; bytes: number } | null = null;
  const readbacks = new WeakMap<GPUBuffer, GPUDevice>();
  const spoiled = new WeakMap<GPUBuffer, GpuFault['kind'] | undefined>();
  const isDue = (): boolean => runs++ >= (current?.afterRuns ?? 0);
  const spoil = (values: Float32Array, kind: GpuFault['kind'] | undefined): void => {
    if (kind === 'zeros') values.fill(0);
    if (kind === 'nan') values.fill(NaN);
    // Far beyond rounding errors, and neither NaN nor zero.
    if (kind === 'perturb') values.forEach((value, index) => (values[index] = value + 0.25));
  };
  const reportOutOfMemory = (device: GPUDevice): void => {
    const error = new GPUOutOfMemoryError('simulated');
    device.dispatchEvent(Object.assign(new Event('uncapturederror'), { error }));
  };
  const disturb = (device: GPUDevice, bytes: number): void => {
    if (current?.kind === 'lost') device.destroy();
    if (current?.kind === 'memory' && bytes > (current.fitsBytes ?? 0)) reportOutOfMemory(device);
  };

  /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
  const { createBuffer, createBindGroup } = GPUDevice.prototype;
  const { submit } = GPUQueue.prototype;
  const { getMappedRange } = GPUBuffer.prototype;
  const { copyBufferToBuffer } = GPUCommandEncoder.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    // Some buffers are reused by later runs.
    if (descriptor.label === 'readback') readbacks.set(buffer, this);
    return buffer;
  };
  GPUDevice.prototype.createBindGroup = function (descriptor) {
    if (current?.stage === 'fbank' && descriptor.label === 'fbank') {
      const bindings = [...descriptor.entries].map(({ resource }) => resource as GPUBufferBinding);
      const { buffer, offset = 0, size = 0 } = bindings.find((binding) => binding.buffer.label === 'features')!;
      features = { device: this, buffer, bytes: Math.max(offset + size, features?.bytes ?? 0) };
    }
    return createBindGroup.call(this, descriptor);
  };
  GPUCommandEncoder.prototype.copyBufferToBuffer = function (this: GPUCommandEncoder, ...parameters: unknown[]) {
    const source = parameters[0] as GPUBuffer;
    const target = parameters.find((value, index) => index > 0 && typeof value === 'object') as GPUBuffer | undefined;
    const device = target && readbacks.get(target);
    const size = parameters.length === 5 ? Number(parameters[4]) : (target?.size ?? 0);
    if (target) spoiled.delete(target);
    // The self-check also reads back the input of the embedding model, which is not a run.
    if (current && current.stage !== 'fbank' && device && source.label !== 'embedding input') {
      if (size >= (current.fromBytes ?? 0) && isDue()) {
        spoiled.set(target, current.kind);
        disturb(device, size);
      }
    }
    (copyBufferToBuffer as (...values: unknown[]) => undefined).apply(this, parameters);
  };
  GPUQueue.prototype.submit = function (commands) {
    submit.call(this, commands);
    if (!features) return;
    const { device, buffer, bytes } = features;
    features = null;
    if (bytes < (current?.fromBytes ?? 0) || !isDue()) return;
    disturb(device, bytes);
    const kind = current?.kind;
    if (kind === 'lost' || kind === 'memory') return;
    // Change only half of the frames, because mean subtraction would remove a constant offset on all frames.
    const values = new Float32Array(bytes / (kind === 'perturb' ? 8 : 4)).map((_, index) => (index % 7) - 8);
    spoil(values, kind);
    this.writeBuffer(buffer, 0, values);
  };
  GPUBuffer.prototype.getMappedRange = function (...range) {
    const mapped = getMappedRange.apply(this, range);
    if (spoiled.has(this)) spoil(new Float32Array(mapped), spoiled.get(this));
    return mapped;
  };
  return (fault) => {
    current = fault;
    runs = 0;
  };
}

/** The worker that computes the stage of a fault. */
export const workerOf = ({ stage }: GpuFault): 'segmentation' | 'embedding' => (stage === 'segmentation' ? 'segmentation' : 'embedding');

/** Source of a script that installs a GPU fault in a worker. */
export const faultScript = (fault: GpuFault): string => `if (globalThis.GPUDevice) (${installGpuFault.toString()})(${JSON.stringify(fault)});`;

/** Installs the fault in the next worker of the stage. Workers that are restarted later have a working GPU. */
export const breakGpu = (page: Page, fault: GpuFault): Promise<void> => injectOnce(page, workerOf(fault), faultScript(fault));
