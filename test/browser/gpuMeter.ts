/**
 * Counts GPU calls and bytes around the WebGPU API, which requires no code in the product. The counts contain the calls
 * of our kernels and of ONNX Runtime.
 */
import type { Page } from 'playwright-core';
import type { Evaluator } from './evaluator';

/** GPU calls and bytes of one stage. */
export interface GpuCounts {
  /** Calls of `dispatchWorkgroups`. */
  readonly dispatches: number;
  /** Calls of `GPUQueue.submit`. */
  readonly submits: number;
  /** Bytes from the CPU to the GPU. */
  readonly bytesUp: number;
  /** Bytes mapped from the GPU for the CPU to read. */
  readonly bytesBack: number;
}

/** `other`: outside of a run, such as the loading of a model and its self-check. */
type MeteredStage = 'segmentation' | 'fbank' | 'embedding' | 'other';

/** Counts by stage. Stages without GPU calls are absent. */
export type GpuCountsByStage = Readonly<Partial<Record<MeteredStage, GpuCounts>>>;

interface GpuMeter {
  /** Counts the following calls for a stage; `other` until then. */
  enter(stage: MeteredStage): void;
  /** Returns the counts since the last call. */
  take(): GpuCountsByStage;
}

declare global {
  /** Counts of all workers since the last {@link takeGpuCounts}. */
  var gpuCounts: Partial<Record<MeteredStage, GpuCounts>>;
}

/**
 * Patches the WebGPU classes of the current thread. It must not refer to outer scope, because its source is also sent to
 * browser workers.
 *
 * One worker computes the features and the embeddings. A filterbank run starts with an encoder labeled `fbank`, an embedding
 * with a buffer labeled `embedding input`, or a batch of them with an encoder labeled `embedding`.
 */
export function installGpuMeter(): GpuMeter {
  type Mutable = { -readonly [Key in keyof GpuCounts]: GpuCounts[Key] };
  let counts: Partial<Record<MeteredStage, Mutable>> = {};
  let current: MeteredStage = 'other';
  const add = (key: keyof GpuCounts, value: number): void => {
    (counts[current] ??= { dispatches: 0, submits: 0, bytesUp: 0, bytesBack: 0 })[key] += value;
  };

  /* eslint-disable @typescript-eslint/unbound-method -- called with the receiver of the patched method */
  const { createBuffer, createCommandEncoder } = GPUDevice.prototype;
  const { dispatchWorkgroups, dispatchWorkgroupsIndirect } = GPUComputePassEncoder.prototype;
  const { submit, writeBuffer } = GPUQueue.prototype;
  const { mapAsync } = GPUBuffer.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (current === 'fbank' && descriptor.label === 'embedding input') current = 'embedding';
    // Data written to a buffer that is mapped at creation is transferred when it is unmapped.
    if (descriptor.mappedAtCreation) add('bytesUp', descriptor.size);
    return createBuffer.call(this, descriptor);
  };
  GPUDevice.prototype.createCommandEncoder = function (descriptor) {
    const label = descriptor?.label;
    if ((current === 'fbank' || current === 'embedding') && (label === 'fbank' || label === 'embedding')) current = label;
    return createCommandEncoder.call(this, descriptor);
  };
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...sizes) {
    add('dispatches', 1);
    dispatchWorkgroups.apply(this, sizes);
  };
  GPUComputePassEncoder.prototype.dispatchWorkgroupsIndirect = function (...parameters) {
    add('dispatches', 1);
    dispatchWorkgroupsIndirect.apply(this, parameters);
  };
  GPUQueue.prototype.submit = function (commands) {
    add('submits', 1);
    submit.call(this, commands);
  };
  GPUQueue.prototype.writeBuffer = function (this: GPUQueue, ...parameters: Parameters<GPUQueue['writeBuffer']>) {
    const [, , data, dataOffset = 0, size] = parameters;
    // For typed arrays, offset and size count elements.
    const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    add('bytesUp', size === undefined ? data.byteLength - dataOffset * unit : size * unit);
    writeBuffer.apply(this, parameters);
  };
  GPUBuffer.prototype.mapAsync = function (mode, offset, size) {
    if (mode === GPUMapMode.READ) add('bytesBack', size ?? this.size - (offset ?? 0));
    return mapAsync.call(this, mode, offset, size);
  };
  return {
    enter: (stage) => {
      current = stage;
    },
    take: () => {
      const taken = counts;
      counts = {};
      return taken;
    },
  };
}

/**
 * Runs in a model worker: sends the counts to the page before each reply, so that the page has them when a call
 * returns. It must not refer to outer scope.
 */
function reportGpuCounts(install: typeof installGpuMeter): void {
  if (!('GPUDevice' in globalThis)) return;
  const meter = install();
  addEventListener('message', ({ data }: MessageEvent<{ readonly path?: readonly string[] } | null>) => {
    const method = data?.path?.[0];
    meter.enter(method === 'segment' ? 'segmentation' : method === 'embed' ? 'embedding' : 'other');
  });
  const post = self.postMessage.bind(self) as (...parameters: unknown[]) => void;
  self.postMessage = (...parameters: unknown[]) => {
    post({ gpuCounts: meter.take() });
    post(...parameters);
  };
}

/** Script for a model worker that sends its counts to the page. */
export const METER_SCRIPT = [
  // tsx adds calls of this function to the source of functions.
  'globalThis.__name ??= (value) => value;',
  `(${reportGpuCounts.toString()})(${installGpuMeter.toString()});`,
].join('\n');

/** The workers that use a GPU. */
export const METERED_WORKERS = ['segmentation', 'embedding'] as const;

/** Makes the page sum the counts of workers that it starts from now on and that run {@link METER_SCRIPT}. */
export function collectGpuCounts(page: Evaluator): Promise<void> {
  return page.evaluate(() => {
    globalThis.gpuCounts = {};
    const Native = Worker;
    globalThis.Worker = class extends Native {
      constructor(address: string | URL, options?: WorkerOptions) {
        super(address, options);
        this.addEventListener('message', ({ data }: MessageEvent<{ readonly gpuCounts?: GpuCountsByStage } | null>) => {
          for (const [stage, counts] of Object.entries(data?.gpuCounts ?? {})) {
            const sum = gpuCounts[stage as MeteredStage] ?? { dispatches: 0, submits: 0, bytesUp: 0, bytesBack: 0 };
            gpuCounts[stage as MeteredStage] = {
              dispatches: sum.dispatches + counts.dispatches,
              submits: sum.submits + counts.submits,
              bytesUp: sum.bytesUp + counts.bytesUp,
              bytesBack: sum.bytesBack + counts.bytesBack,
            };
          }
        });
      }
    };
  }, null);
}

/** The counts since the last call. */
export function takeGpuCounts(page: Evaluator): Promise<GpuCountsByStage> {
  return page.evaluate(() => {
    const taken = gpuCounts;
    globalThis.gpuCounts = {};
    return taken;
  }, null);
}

/** Counts the GPU work of the workers that a page of Playwright starts from now on. */
export async function meterGpu(page: Page): Promise<void> {
  for (const kind of METERED_WORKERS) {
    await page.route(`**/${kind}.worker-*.js`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${METER_SCRIPT}\n${await response.text()}` });
    });
  }
  await collectGpuCounts(page);
}
