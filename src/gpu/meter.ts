/** GPU calls and bytes of one stage. */
export interface GpuCounts {
  /** Calls of `dispatchWorkgroups`, by our kernels and by the runtime. */
  readonly dispatches: number;
  /** Calls of `GPUQueue.submit`. */
  readonly submits: number;
  /** Bytes from the CPU to the GPU. */
  readonly bytesUp: number;
  /** Bytes mapped from the GPU for the CPU to read. */
  readonly bytesBack: number;
}

/** Counts by stage. */
export type GpuCountsByStage = Readonly<Record<string, GpuCounts>>;

/** Sums by stage. */
export function addCounts(parts: readonly GpuCountsByStage[]): GpuCountsByStage {
  const sums: Record<string, GpuCounts> = {};
  for (const [stage, counts] of parts.flatMap((part) => Object.entries(part))) {
    sums[stage] = combine(sums[stage] ?? NONE, counts, 1);
  }
  return sums;
}

/** Counts between two readings. Stages without changes are omitted. */
export function countsSince(now: GpuCountsByStage, before: GpuCountsByStage): GpuCountsByStage {
  const differences = Object.entries(now).map(([stage, counts]) => [stage, combine(counts, before[stage] ?? NONE, -1)] as const);
  return Object.fromEntries(differences.filter(([, { dispatches, bytesUp }]) => dispatches > 0 || bytesUp > 0));
}

const NONE: GpuCounts = { dispatches: 0, submits: 0, bytesUp: 0, bytesBack: 0 };

function combine(a: GpuCounts, b: GpuCounts, sign: 1 | -1): GpuCounts {
  return {
    dispatches: a.dispatches + sign * b.dispatches,
    submits: a.submits + sign * b.submits,
    bytesUp: a.bytesUp + sign * b.bytesUp,
    bytesBack: a.bytesBack + sign * b.bytesBack,
  };
}

type Mutable = { -readonly [Key in keyof GpuCounts]: GpuCounts[Key] };

/**
 * Counts the calls to a device from our kernels and ONNX Runtime, which both use the same JavaScript objects. Only
 * the methods of this device are wrapped, so other code of the page is not affected.
 */
export class GpuMeter {
  private readonly byStage = new Map<string, Mutable>();
  private current = this.countsOf('other');

  constructor(device: GPUDevice) {
    this.watchDevice(device);
    this.watchQueue(device.queue);
  }

  /** Counts the following calls for `name`. */
  enter(name: string): void {
    this.current = this.countsOf(name);
  }

  /** Copies of all counts so far, by stage. Stages without calls are omitted. */
  counts(): GpuCountsByStage {
    const used = [...this.byStage].filter(([, counts]) => Object.values(counts).some((value) => value > 0));
    return Object.fromEntries(used.map(([name, counts]) => [name, { ...counts }]));
  }

  private countsOf(name: string): Mutable {
    const found = this.byStage.get(name) ?? { ...NONE };
    this.byStage.set(name, found);
    return found;
  }

  private watchDevice(device: GPUDevice): void {
    const createCommandEncoder = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => this.watchEncoder(createCommandEncoder(descriptor));
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      // Data written to a buffer that is mapped at creation is transferred when it is unmapped.
      if (descriptor.mappedAtCreation) this.current.bytesUp += descriptor.size;
      return this.watchBuffer(createBuffer(descriptor));
    };
  }

  private watchEncoder(encoder: GPUCommandEncoder): GPUCommandEncoder {
    const beginComputePass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (descriptor) => {
      const pass = beginComputePass(descriptor);
      const dispatch = pass.dispatchWorkgroups.bind(pass);
      pass.dispatchWorkgroups = (...counts) => {
        this.current.dispatches++;
        dispatch(...counts);
      };
      const dispatchIndirect = pass.dispatchWorkgroupsIndirect.bind(pass);
      pass.dispatchWorkgroupsIndirect = (...parameters) => {
        this.current.dispatches++;
        dispatchIndirect(...parameters);
      };
      return pass;
    };
    return encoder;
  }

  private watchBuffer(buffer: GPUBuffer): GPUBuffer {
    const mapAsync = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (mode, offset, size) => {
      if (mode === GPUMapMode.READ) this.current.bytesBack += size ?? buffer.size - (offset ?? 0);
      return mapAsync(mode, offset, size);
    };
    return buffer;
  }

  private watchQueue(queue: GPUQueue): void {
    const submit = queue.submit.bind(queue);
    queue.submit = (commands) => {
      this.current.submits++;
      submit(commands);
    };
    const writeBuffer = queue.writeBuffer.bind(queue);
    queue.writeBuffer = (buffer, offset, data, dataOffset = 0, size) => {
      // For typed arrays, offset and size count elements.
      const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
      this.current.bytesUp += size === undefined ? data.byteLength - dataOffset * unit : size * unit;
      writeBuffer(buffer, offset, data, dataOffset, size);
    };
  }
}
