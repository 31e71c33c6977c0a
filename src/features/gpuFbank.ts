import { type CommandTarget, compileKernel, computeLayout, inComputePass } from '../gpu/compile';
import type { CenteredFbankSpec, FbankSpec } from '../store/fbankSpec';
import { VoxlaneError } from '../util/errors';
import { countFrames, type FbankGeometry, fbankGeometry, melFilters, twiddles, windowFunction } from './fbank';
import code from './fbank.wgsl?raw';

/** Limits of one dispatch; by default the device's own limits. */
export interface DispatchLimits {
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxStorageBufferBindingSize: number;
  readonly minStorageBufferOffsetAlignment: number;
}

/** The windows of one call. */
interface FbankShape {
  readonly numWindows: number;
  /** Of each window. */
  readonly numSamples: number;
  /** Of each window. */
  readonly numFrames: number;
  readonly numMelBins: number;
}

/** A part of a buffer of 32-bit values, in bytes. */
interface Part {
  readonly offset: number;
  readonly size: number;
}

/** The frames [firstFrame, endFrame), counted across all windows, as a dispatch with one workgroup per frame. */
interface PlannedDispatch {
  readonly firstFrame: number;
  readonly endFrame: number;
  readonly groupsPerRow: number;
  readonly rows: number;
  /** The input samples of these frames. */
  readonly samples: Part;
  /** The output features of these frames. */
  readonly features: Part;
}

/**
 * Plans the minimum number of dispatches that compute all frames within a device's limits: one if bindings are large
 * enough.
 *
 * @throws VoxlaneError `backend-failed` if a single frame exceeds the limits
 */
export function planDispatches(shape: FbankShape, geometry: FbankGeometry, limits: DispatchLimits): PlannedDispatch[] {
  const total = shape.numWindows * shape.numFrames;
  const dispatches: PlannedDispatch[] = [];
  for (let firstFrame = 0; firstFrame < total; firstFrame = dispatches.at(-1)!.endFrame) {
    dispatches.push(largestFrom(firstFrame, total, shape, geometry, limits));
  }
  return dispatches;
}

/** The longest run of frames from `firstFrame` that fits, found by bisection. */
function largestFrom(
  firstFrame: number,
  total: number,
  shape: FbankShape,
  geometry: FbankGeometry,
  limits: DispatchLimits,
): PlannedDispatch {
  const make = (endFrame: number) => dispatchOf(firstFrame, endFrame, shape, geometry, limits);
  const fits = ({ samples, features, rows }: PlannedDispatch) =>
    Math.max(samples.size, features.size) <= limits.maxStorageBufferBindingSize &&
    rows <= limits.maxComputeWorkgroupsPerDimension;
  const whole = make(total);
  if (fits(whole)) return whole;
  let fitting = firstFrame;
  let tooFar = total;
  while (tooFar - fitting > 1) {
    const middle = Math.floor((fitting + tooFar) / 2);
    if (fits(make(middle))) fitting = middle;
    else tooFar = middle;
  }
  if (fitting === firstFrame) {
    throw new VoxlaneError({
      code: 'backend-failed',
      problem: `The GPU binds at most ${limits.maxStorageBufferBindingSize} bytes, which is less than one frame requires`,
      remedy: "Use the backend 'wasm'",
    });
  }
  return make(fitting);
}

function dispatchOf(
  firstFrame: number,
  endFrame: number,
  { numSamples, numFrames, numMelBins }: FbankShape,
  { frameSamples, hopSamples, leadSamples }: FbankGeometry,
  limits: DispatchLimits,
): PlannedDispatch {
  // Centered frames may reach beyond their window. The kernel reads no samples there.
  const startOf = (frame: number) =>
    Math.floor(frame / numFrames) * numSamples + Math.max(0, (frame % numFrames) * hopSamples - leadSamples);
  const endOf = (frame: number) =>
    Math.floor(frame / numFrames) * numSamples + Math.min(numSamples, (frame % numFrames) * hopSamples - leadSamples + frameSamples);
  const count = endFrame - firstFrame;
  const groupsPerRow = Math.min(count, limits.maxComputeWorkgroupsPerDimension);
  return {
    firstFrame,
    endFrame,
    groupsPerRow,
    rows: Math.ceil(count / groupsPerRow),
    samples: partOf(startOf(firstFrame), endOf(endFrame - 1), limits),
    features: partOf(firstFrame * numMelBins, endFrame * numMelBins, limits),
  };
}

/** The binding for elements [first, end) of 32-bit values. Because of the alignment, it may start before them. */
function partOf(first: number, end: number, { minStorageBufferOffsetAlignment: alignment }: DispatchLimits): Part {
  const offset = Math.floor((4 * first) / alignment) * alignment;
  return { offset, size: 4 * end - offset };
}

/** Options of the filterbanks that the kernel computes. */
export type GpuFbankSpec = FbankSpec | CenteredFbankSpec;

/** The kernel supports only this FFT size: frames of 257 to 512 samples. */
const FFT_SIZE = 512;

/** Number of 32-bit values in the kernel's `Params`. */
const NUM_PARAMS = 7;

/** In the order of the kernel's bindings. */
const BINDINGS: readonly GPUBufferBindingType[] = [
  'uniform',
  'read-only-storage',
  'read-only-storage',
  'read-only-storage',
  'read-only-storage',
  'read-only-storage',
  'storage',
];

/** Features that stay on the GPU. */
export interface GpuFeatures {
  /**
   * Axes (window, frame, mel), float32, natural logarithm of power; usage STORAGE, COPY_SRC and COPY_DST. It can be
   * longer. It belongs to the filterbank, which overwrites it in its next call.
   */
  readonly buffer: GPUBuffer;
  readonly numWindows: number;
  /** Of each window; 0 if a window is shorter than a frame, in which case the buffer is unused. */
  readonly numFrames: number;
  readonly numMelBins: number;
}

/** Length of features in bytes. */
export const featureBytes = ({ numWindows, numFrames, numMelBins }: Omit<GpuFeatures, 'buffer'>): number => 4 * numWindows * numFrames * numMelBins;

/** Dispatches for one shape of input, with their parameters on the GPU. */
interface Plan {
  readonly dispatches: readonly PlannedDispatch[];
  readonly params: GPUBuffer;
  /** Distance between the parameters of consecutive dispatches in bytes. */
  readonly paramsStride: number;
}

/**
 * Filterbank on the GPU: computes the same features as {@link Fbank}, batched over windows, in float32, without
 * reading them back.
 *
 * Failures that WebGPU reports later (out of memory, device lost) go to the error scopes and the `lost` promise of
 * the caller's device.
 */
export class GpuFbank {
  private readonly plans = new Map<string, Plan>();
  /** Samples and features of {@link compute}, reused by later calls. */
  private readonly kept = new Map<'samples' | 'features', GPUBuffer>();

  private constructor(
    private readonly device: GPUDevice,
    private readonly facts: GpuFbankSpec,
    private readonly geometry: FbankGeometry,
    private readonly limits: DispatchLimits,
    private readonly layout: GPUBindGroupLayout,
    private readonly pipeline: GPUComputePipeline,
    /** Bindings 2 to 5: tables computed once, in float64, by the functions of the CPU filterbank. */
    private readonly tables: readonly GPUBuffer[],
  ) {}

  /**
   * Compiles the kernel and uploads its tables.
   *
   * @param sampleRate in hertz
   * @param limits for tests: limits of one dispatch, below the device's own
   * @throws VoxlaneError `model-invalid` if the frames need another FFT size than 512; `backend-failed` if the kernel
   *   does not compile
   */
  static async create(
    device: GPUDevice,
    facts: GpuFbankSpec,
    sampleRate: number,
    limits: DispatchLimits = device.limits,
  ): Promise<GpuFbank> {
    const geometry = fbankGeometry(facts, sampleRate);
    if (geometry.fftSize !== FFT_SIZE) {
      throw new VoxlaneError({
        code: 'model-invalid',
        problem: `The model's filterbank has frames of ${geometry.frameSamples} samples`,
        expected: `257 to ${FFT_SIZE} samples, to fit the FFT of the GPU kernel`,
        remedy: "Use the backend 'wasm'",
      });
    }
    const layout = computeLayout(device, 'fbank', BINDINGS);
    const constants = {
      FRAME_SAMPLES: geometry.frameSamples,
      HOP_SAMPLES: geometry.hopSamples,
      NUM_MEL_BINS: facts.numMelBins,
      PREEMPHASIS: facts.preemphasis,
      SAMPLE_SCALE: facts.sampleScale,
      REMOVE_DC_OFFSET: Number(facts.removeDcOffset),
      LEAD_SAMPLES: geometry.leadSamples,
      LOG_OFFSET: facts.snipEdges ? 0 : facts.logOffset,
    };
    const pipeline = await compileKernel(device, { label: 'fbank', code, layout, constants });
    const tables = makeTables(facts, sampleRate, geometry).map((table) => uploadTable(device, table));
    return new GpuFbank(device, facts, geometry, limits, layout, pipeline, tables);
  }

  /** Number of frames per window of `numSamples`; 0 if no frame fits. */
  countFrames(numSamples: number): number {
    return countFrames(numSamples, this.geometry);
  }

  /**
   * Records the filterbank of `numWindows` windows. Records nothing if windows are shorter than a frame.
   *
   * @param input axes (window, sample), float32, nominally in [-1, 1]; usage STORAGE
   * @param numSamples of each window
   * @param output written: axes (window, frame, mel), float32, natural logarithm of power; usage STORAGE
   * @returns the number of dispatches: 1 unless the buffers are larger than the device can bind
   * @throws VoxlaneError `options` if a buffer is smaller than its axes; `backend-failed` if the device cannot bind
   *   the data of a single frame
   */
  encode(target: CommandTarget, input: GPUBuffer, numWindows: number, numSamples: number, output: GPUBuffer): number {
    const numFrames = this.countFrames(numSamples);
    const { numMelBins } = this.facts;
    if (numWindows * numFrames === 0) return 0;
    checkSize('samples', input, 4 * numWindows * numSamples);
    checkSize('features', output, 4 * numWindows * numFrames * numMelBins);
    const plan = this.planFor({ numWindows, numSamples, numFrames, numMelBins });
    inComputePass(target, 'fbank', (pass) => {
      pass.setPipeline(this.pipeline);
      plan.dispatches.forEach((dispatch, index) => {
        const resources: GPUBufferBinding[] = [
          { buffer: plan.params, offset: index * plan.paramsStride, size: 4 * NUM_PARAMS },
          { buffer: input, ...dispatch.samples },
          ...this.tables.map((buffer) => ({ buffer })),
          { buffer: output, ...dispatch.features },
        ];
        const entries = resources.map((resource, binding) => ({ binding, resource }));
        pass.setBindGroup(0, this.device.createBindGroup({ label: 'fbank', layout: this.layout, entries }));
        pass.dispatchWorkgroups(dispatch.groupsPerRow, dispatch.rows);
      });
    });
    return plan.dispatches.length;
  }

  /**
   * Uploads windows and submits their filterbank. Allocates nothing if no earlier call had a larger batch.
   *
   * @param samples axes (window, sample), nominally in [-1, 1]
   * @throws VoxlaneError as {@link encode}; `gpu-memory` if a buffer would exceed the device's limit
   */
  compute(samples: Float32Array, numWindows = 1): GpuFeatures {
    const numSamples = samples.length / numWindows;
    if (!Number.isInteger(numSamples)) {
      throw new VoxlaneError({
        code: 'options',
        problem: `${samples.length} samples cannot be divided into ${numWindows} windows of equal length`,
      });
    }
    const numFrames = this.countFrames(numSamples);
    const shape = { numWindows, numFrames, numMelBins: this.facts.numMelBins };
    const encoder = this.device.createCommandEncoder({ label: 'fbank' });
    const buffer = this.bufferFor('features', featureBytes(shape), GPUBufferUsage.COPY_SRC);
    if (numFrames > 0) {
      const input = this.bufferFor('samples', samples.byteLength);
      this.device.queue.writeBuffer(input, 0, samples as Float32Array<ArrayBuffer>);
      this.encode(encoder, input, numWindows, numSamples, buffer);
      this.device.queue.submit([encoder.finish()]);
    }
    return { buffer, ...shape };
  }

  /** Frees the GPU memory of this object. */
  destroy(): void {
    for (const table of this.tables) table.destroy();
    this.forgetBuffers();
  }

  /**
   * Frees the buffers kept between batches. Call it after a failure: a buffer whose allocation failed looks like any
   * other, but every later use of it would fail.
   */
  forgetBuffers(): void {
    for (const { params } of this.plans.values()) params.destroy();
    this.plans.clear();
    for (const buffer of this.kept.values()) buffer.destroy();
    this.kept.clear();
  }

  /** Cached by shape: a run has one shape, or two if the last batch is smaller. */
  private planFor(shape: FbankShape): Plan {
    const key = `${shape.numWindows}×${shape.numSamples}`;
    const known = this.plans.get(key);
    if (known) return known;
    const dispatches = planDispatches(shape, this.geometry, this.limits);
    const paramsStride = this.device.limits.minUniformBufferOffsetAlignment;
    const values = new Uint32Array((dispatches.length * paramsStride) / 4);
    dispatches.forEach(({ firstFrame, endFrame, groupsPerRow, samples, features }, index) => {
      values.set(
        [shape.numSamples, shape.numFrames, firstFrame, endFrame, groupsPerRow, samples.offset / 4, features.offset / 4],
        (index * paramsStride) / 4,
      );
    });
    const params = this.createBuffer('fbank params', values.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    this.device.queue.writeBuffer(params, 0, values);
    const plan = { dispatches, params, paramsStride };
    this.plans.set(key, plan);
    return plan;
  }

  /** A kept buffer of at least this length. Earlier submissions read it before it is overwritten. */
  private bufferFor(name: 'samples' | 'features', bytes: number, usage: GPUBufferUsageFlags = 0): GPUBuffer {
    const known = this.kept.get(name);
    if (known && known.size >= bytes) return known;
    known?.destroy();
    this.kept.delete(name);
    const buffer = this.createBuffer(name, bytes, usage | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    this.kept.set(name, buffer);
    return buffer;
  }

  private createBuffer(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const { maxBufferSize } = this.device.limits;
    if (size > maxBufferSize) {
      throw new VoxlaneError({
        code: 'gpu-memory',
        problem: `The filterbank's ${label} require ${size} bytes on the GPU`,
        expected: `at most ${maxBufferSize}, the maximum buffer size of this device`,
        remedy: 'Use smaller batches of windows',
      });
    }
    return this.device.createBuffer({ label, size, usage });
  }
}

/** Bindings 2 to 5 of the kernel: window function, twiddles, filters, weights. */
function makeTables(facts: GpuFbankSpec, sampleRate: number, geometry: FbankGeometry): (Float32Array | Uint32Array)[] {
  const window = new Float32Array(FFT_SIZE);
  window.set(windowFunction(facts.windowType, geometry.frameSamples));
  const { cosines, sines } = twiddles(FFT_SIZE);
  const factors = Float32Array.from({ length: 2 * FFT_SIZE }, (_, i) => (i % 2 === 0 ? cosines : sines)[i >> 1]!);
  const filters = melFilters(facts, sampleRate, FFT_SIZE);
  let firstWeight = 0;
  const descriptions = filters.flatMap(({ firstBin, weights }) => {
    const description = [firstBin, weights.length, firstWeight];
    firstWeight += weights.length;
    return description;
  });
  const weights = filters.flatMap((filter) => [...filter.weights]);
  return [window, factors, Uint32Array.from(descriptions), Float32Array.from(weights)];
}

function uploadTable(device: GPUDevice, table: Float32Array | Uint32Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: 'fbank table', size: table.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, table as Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>);
  return buffer;
}

function checkSize(name: string, buffer: GPUBuffer, bytes: number): void {
  if (buffer.size >= bytes) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The buffer of ${name} has ${buffer.size} bytes`,
    expected: `at least ${bytes}, according to its axes`,
  });
}
