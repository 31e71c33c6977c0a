/**
 * A WebGPU device that computes nothing and counts everything that it is given: dispatches and their work, submissions and
 * transferred bytes. So a network can be counted without a GPU, by the code that runs it.
 */
import type { GpuContext } from '../../src/gpu/context';
import { type DispatchWork, workOfDispatch } from './dispatchWork';

export interface GpuWork extends DispatchWork {
  readonly dispatches: number;
  readonly submits: number;
  /** Bytes from the CPU to the GPU. */
  readonly bytesUp: number;
  /** Bytes from the GPU to the CPU. */
  readonly bytesBack: number;
}

/** Constants of the WebGPU specification. */
const CONSTANTS = {
  GPUBufferUsage: { MAP_READ: 0x1, MAP_WRITE: 0x2, COPY_SRC: 0x4, COPY_DST: 0x8, INDEX: 0x10, VERTEX: 0x20, UNIFORM: 0x40, STORAGE: 0x80, INDIRECT: 0x100, QUERY_RESOLVE: 0x200 },
  GPUShaderStage: { VERTEX: 0x1, FRAGMENT: 0x2, COMPUTE: 0x4 },
  GPUMapMode: { READ: 0x1, WRITE: 0x2 },
} as const;
/** Limits of a discrete GPU, as browsers report them. */
const LIMITS = { minUniformBufferOffsetAlignment: 256, minStorageBufferOffsetAlignment: 256, maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31, maxComputeWorkgroupsPerDimension: 65_535 };

class CountingBuffer {
  /** Only of parameters, which the counts depend on. */
  readonly words: Uint32Array | null;

  constructor(
    readonly size: number,
    usage: number,
    private readonly counts: Counts,
  ) {
    this.words = usage & CONSTANTS.GPUBufferUsage.UNIFORM ? new Uint32Array(size / 4) : null;
  }

  mapAsync(_mode: number, offset = 0, size = this.size - offset): Promise<void> {
    this.counts.bytesBack += size;
    return Promise.resolve();
  }

  /** Results that pass for those of a network: finite, and not all equal. */
  getMappedRange(offset = 0, size = this.size - offset): ArrayBuffer {
    return Float32Array.from({ length: size / 4 }, (_, i) => (i % 16) / 16 - 0.45).buffer;
  }

  unmap(): void {
    // Nothing is mapped.
  }

  destroy(): void {
    // Nothing is allocated.
  }
}

interface BoundBuffer {
  readonly buffer: CountingBuffer;
  readonly offset?: number;
  readonly size?: number;
}

class Counts implements GpuWork {
  flops = 0;
  bytes = 0;
  dispatches = 0;
  submits = 0;
  bytesUp = 0;
  bytesBack = 0;

  constructor(private readonly fbankFlops: number) {}

  addDispatch(kernel: string, entries: readonly BoundBuffer[], dynamicOffset: number, workgroups: readonly [number, number, number]): void {
    const [uniform, ...buffers] = entries;
    const { buffer: { words }, offset = 0, size = 0 } = uniform!;
    const start = (offset + dynamicOffset) / 4;
    const { flops, bytes } = workOfDispatch({
      kernel,
      parameters: words!.subarray(start, start + size / 4),
      bufferBytes: buffers.map(({ buffer, size: bound }) => bound ?? buffer.size),
      workgroups,
    }, this.fbankFlops);
    this.dispatches++;
    this.flops += flops;
    this.bytes += bytes;
  }
}

/** A device that counts. */
export interface CountingGpu {
  readonly gpu: GpuContext;
  /** Returns the counts since the last call. */
  readonly take: () => GpuWork;
}

/**
 * Defines the constants of WebGPU, if the thread has none, and makes a device.
 *
 * @param fbankFlops of a mel frame
 */
export function countingGpu(fbankFlops: number): CountingGpu {
  for (const [name, values] of Object.entries(CONSTANTS)) if (!(name in globalThis)) Object.assign(globalThis, { [name]: values });
  const counts = new Counts(fbankFlops);
  const pass = (): object => {
    let [kernel, entries, dynamicOffset] = ['', [] as readonly BoundBuffer[], 0];
    return {
      setPipeline: (pipeline: { label: string }) => { kernel = pipeline.label; },
      setBindGroup: (_index: number, group: { entries: readonly BoundBuffer[] }, offsets: readonly number[] = []) => {
        entries = group.entries;
        dynamicOffset = offsets[0] ?? 0;
      },
      dispatchWorkgroups: (x: number, y = 1, z = 1) => { counts.addDispatch(kernel, entries, dynamicOffset, [x, y, z]); },
      end: nothing,
    };
  };
  const writeBuffer = (buffer: CountingBuffer, offset: number, data: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }, first = 0, length = data.byteLength / data.BYTES_PER_ELEMENT - first): void => {
    const bytes = length * data.BYTES_PER_ELEMENT;
    counts.bytesUp += bytes;
    buffer.words?.set(new Uint32Array(data.buffer, data.byteOffset + first * data.BYTES_PER_ELEMENT, bytes / 4), offset / 4);
  };
  const device = {
    limits: LIMITS,
    features: new Set(),
    queue: { writeBuffer, submit: () => { counts.submits++; }, onSubmittedWorkDone: () => Promise.resolve() },
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => new CountingBuffer(size, usage, counts),
    createBindGroupLayout: () => ({}),
    createBindGroup: ({ entries }: { entries: readonly { resource: BoundBuffer }[] }) => ({ entries: entries.map(({ resource }) => resource) }),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({ getCompilationInfo: () => Promise.resolve({ messages: [] }) }),
    createComputePipelineAsync: ({ label }: { label: string }) => Promise.resolve({ label }),
    createCommandEncoder: () => ({ beginComputePass: pass, clearBuffer: nothing, copyBufferToBuffer: nothing, finish: () => ({}) }),
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
  };
  return {
    gpu: { device: device as unknown as GPUDevice, adapterName: 'counts', guard: (work) => work() },
    take: () => {
      const { flops, bytes, dispatches, submits, bytesUp, bytesBack } = counts;
      Object.assign(counts, new Counts(fbankFlops));
      return { flops, bytes, dispatches, submits, bytesUp, bytesBack };
    },
  };
}

const nothing = (): void => undefined;
