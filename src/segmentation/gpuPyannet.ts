import { destroyAll, uploadBuffer } from '../gpu/buffers';
import { ChannelStats } from '../gpu/channelStats';
import { type GpuContext, guardRoom, openGuarded, type Own, readBack } from '../gpu/context';
import { MapGuard } from '../gpu/mapGuard';
import { type GpuWeights, packWeights, POOLED_ROWS, ProductKernels, uploadWeights } from '../gpu/product';
import { Program } from '../gpu/program';
import { type ModelProto, parseOnnx } from '../onnx/model';
import type { FloatTensor, Graph } from '../ort/graph';
import type { OnValue } from '../ort/kernelGraph';
import type { TensorSpec } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { concatenate, healthy } from '../util/values';
import { GpuLstm, packLstm } from './gpuLstm';
import { GpuScores, packClassifier } from './gpuScores';
import { type FilterLayer, type InstanceNorm, type Linear, type PyannetGraph, readPyannet, unlike } from './pyannetGraph';
import { PyannetMemory, type PyannetRoom } from './pyannetMemory';

/** Facts from the manifest of the file. */
interface PyannetSpec {
  readonly id: string;
  readonly input: TensorSpec;
  readonly output: TensorSpec;
}

/** A filter layer on the GPU. */
interface Filter {
  readonly layer: FilterLayer;
  readonly weights: GpuWeights;
  /** Of the norm after the layer: axes (channel, [scale, shift]). */
  readonly norm: GPUBuffer;
}

/** A recurrent layer on the GPU. */
interface Recurrent {
  readonly weights: GpuWeights;
  readonly recurrent: GPUBuffer;
  readonly numUnits: number;
}

/** Maximum number of dispatches of a batch. */
const MAX_DISPATCHES = 90;

/**
 * segmentation-3.0 on our own WGSL kernels, used instead of an ONNX Runtime session of the same file. A batch of any
 * size has the same number of dispatches, and only its scores are read back.
 *
 * All maps have the channels last, so a convolution is a matrix product whose rows overlap in memory. The norm after a
 * layer is applied where the next layer reads its input.
 */
export class GpuPyannet implements Graph {
  private readonly program: Program;
  private readonly memory: PyannetMemory;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly network: PyannetGraph,
    private readonly output: TensorSpec,
    private readonly products: ProductKernels,
    private readonly stats: { readonly wave: ChannelStats; readonly map: ChannelStats },
    private readonly waveNorm: GPUBuffer,
    private readonly filters: readonly Filter[],
    private readonly lstm: GpuLstm,
    private readonly lstms: readonly Recurrent[],
    private readonly linears: readonly GpuWeights[],
    private readonly scores: GpuScores,
    private readonly guard: MapGuard,
  ) {
    this.program = new Program(gpu.device, 'segmentation', MAX_DISPATCHES);
    this.memory = new PyannetMemory(gpu.device, network, guard);
  }

  /**
   * Compiles the kernels and uploads the weights.
   *
   * @param bytes of the verified ONNX file; not used afterward
   * @throws VoxlaneError `model-invalid` for a graph with another structure, which ONNX Runtime may still run;
   *   `backend-failed` if a kernel does not compile
   */
  static open(gpu: GpuContext, bytes: Uint8Array, facts: PyannetSpec): Promise<GpuPyannet> {
    return GpuPyannet.ofModel(gpu, parseOnnx(bytes, facts.id), facts);
  }

  /** Like {@link open}, for a parsed file. */
  static ofModel(gpu: GpuContext, model: ModelProto, { input, output }: PyannetSpec): Promise<GpuPyannet> {
    const network = readPyannet(model, { input: input.name, output: output.name });
    checkWidths(network);
    return openGuarded(gpu, (own) => GpuPyannet.build(gpu, network, output, own));
  }

  private static async build(gpu: GpuContext, network: PyannetGraph, output: TensorSpec, own: Own): Promise<GpuPyannet> {
    const { device } = gpu;
    const label = 'segmentation weights';
    const upload = (values: Float32Array<ArrayBuffer>): GPUBuffer => own(uploadBuffer(device, label, values));
    const pack = (...parameters: Parameters<typeof packWeights>): GpuWeights => uploadWeights(device, label, packWeights(...parameters), own);
    const uploadNorm = ({ scale, shift }: InstanceNorm): GPUBuffer =>
      upload(Float32Array.from({ length: 2 * scale.length }, (_, i) => (i % 2 === 0 ? scale : shift)[i >> 1]!));

    const products = own(new ProductKernels(device));
    const filters = network.filters.map((layer): Filter => {
      const { weight, numIn, numOut, bias, taps } = layer.convolution;
      // The file's axes are (output, input, tap); the kernel's inputs are (tap, input).
      const weightOf = (k: number, column: number): number => weight[(column * numIn + (k % numIn)) * taps[0]! + Math.floor(k / numIn)]!;
      const weights = pack({ numInputs: numIn * taps[0]!, numColumns: numOut, bias }, weightOf);
      return { layer, weights, norm: uploadNorm(layer.norm) };
    });
    const lstms = network.lstms.map((layer): Recurrent => {
      const { numUnits, numInputs, inputWeight, bias, recurrent } = packLstm(layer);
      return { numUnits, weights: pack({ numInputs, numColumns: bias.length, bias }, inputWeight), recurrent: upload(recurrent) };
    });
    const linears = network.linears.map(({ weight: { data, shape }, bias }) => {
      const [numInputs, numColumns] = shape as [number, number];
      return pack({ numInputs, numColumns, bias }, (k, column) => data[k * numColumns + column]!);
    });
    await Promise.all([
      ...[...filters, ...lstms].map(({ weights }) => products.open(weights)),
      ...linears.map((weights) => products.open(weights)),
    ]);
    const [wave, map, lstm, scores, guard] = await Promise.all([
      ChannelStats.open(device, 'factors', 1),
      ChannelStats.open(device, 'factors', 2),
      GpuLstm.open(device, lstms[0]!.numUnits),
      GpuScores.open(device, packClassifier(network.classifier), upload),
      MapGuard.open(device),
    ]);
    const pyannet = new GpuPyannet(gpu, network, output, products, { wave, map }, uploadNorm(network.waveNorm), filters, lstm, lstms, linears, scores, guard);
    own(pyannet.program);
    return pyannet;
  }

  async run(input: Parameters<Graph['run']>[0]): Promise<FloatTensor> {
    if ('buffer' in input) throw misused('a GPU tensor');
    const { data, shape } = await this.compute(input);
    const length = data.length / shape[0]!;
    for (let first = 0; first < data.length; first += length) healthy(data.subarray(first, first + length), this.output.name, 'gpu-wrong');
    return { data, shape };
  }

  /** Names of the values reported by {@link trace}, followed by the output. */
  get valueNames(): readonly string[] {
    const { filters, lstm, linears } = this.network.values;
    return [filters, lstm, ...linears, this.output.name];
  }

  /**
   * Computes a batch that fits at once, for comparisons: reads every named value back and reports it, and does not check the
   * output.
   *
   * @param input axes (batch, channel, sample), one channel
   * @returns axes (batch, frame, class), log-probabilities
   */
  async trace({ data, shape }: FloatTensor, onValue: OnValue = () => undefined): Promise<FloatTensor> {
    const { numWindows, numSamples, numFrames } = this.sizeOf({ data, shape });
    return guardRoom(this.gpu, () => { this.freeRoom(); }, async () => {
      const ends: number[] = [];
      const room = this.prepare(data, numWindows, numSamples, () => ends.push(this.program.numDispatches));
      let first = 0;
      const read = async (end: number, buffer: GPUBuffer, width: number): Promise<FloatTensor> => {
        const rows = await readBack(this.gpu.device, buffer, 4 * numWindows * numFrames * width, (encoder) => { this.program.encode(encoder, first, end); });
        first = end;
        return { data: rows, shape: [numWindows, numFrames, width] };
      };
      const replace = (buffer: GPUBuffer, values: FloatTensor | undefined): void => {
        if (values) this.gpu.device.queue.writeBuffer(buffer, 0, values.data as Float32Array<ArrayBuffer>);
      };
      const { filters, lstm, linears } = this.network.values;
      const [afterFilters, ...afterRows] = ends as [number, ...number[]];
      const map = await read(afterFilters, room.levels.at(-1)!, this.filters.at(-1)!.weights.numColumns);
      await this.offerMap(room, map, (value) => onValue(filters, value));
      const state = room.states[(this.lstms.length - 1) % 2]!;
      const steps = [
        { name: lstm, buffer: state, width: 2 * this.lstms.at(-1)!.numUnits },
        ...this.linears.map(({ numColumns }, index) => ({ name: linears[index]!, buffer: room.linears[index]!, width: numColumns })),
      ];
      for (const [index, { name, buffer, width }] of steps.entries()) {
        replace(buffer, onValue(name, await read(afterRows[index]!, buffer, width)));
      }
      return read(afterRows.at(-1)!, room.scores, this.numClasses);
    });
  }

  /** Offers the map of the last filter layer, axes (window, channel, frame). The kernels apply its norm where they read it. */
  private async offerMap({ levels, factors }: PyannetRoom, { data: map, shape }: FloatTensor, onMap: (value: FloatTensor) => FloatTensor | undefined): Promise<void> {
    const { device } = this.gpu;
    const [numWindows, numFrames, numChannels] = shape as [number, number, number];
    const all = await readBack(device, factors.at(-1)!, 4 * numWindows * numChannels * 4);
    /** Place in the map of the value at this place. */
    const placeOf = (i: number): number => {
      const channel = Math.floor(i / numFrames) % numChannels;
      return (Math.floor(i / numFrames / numChannels) * numFrames + (i % numFrames)) * numChannels + channel;
    };
    const normalized = map.map((_, i) => {
      const [center, scale, shift, slope] = all.subarray(4 * Math.floor(i / numFrames)) as unknown as [number, number, number, number];
      const value = (map[placeOf(i)]! - center) * scale + shift;
      return Math.max(value, slope * value);
    });
    const other = onMap({ data: normalized, shape: [numWindows, numChannels, numFrames] });
    if (!other) return;
    const values = new Float32Array(map.length);
    for (const [i, value] of other.data.entries()) values[placeOf(i)] = value;
    device.queue.writeBuffer(levels.at(-1)!, 0, values);
    // A norm that changes nothing.
    device.queue.writeBuffer(factors.at(-1)!, 0, all.map((_, i) => i % 2));
  }

  release(): Promise<void> {
    this.freeRoom();
    destroyAll(this.program, this.products, this.scores, this.waveNorm);
    for (const { weights, norm } of this.filters) destroyAll(weights.weights, weights.bias, norm);
    for (const { weights, recurrent } of this.lstms) destroyAll(weights.weights, weights.bias, recurrent);
    for (const weights of this.linears) destroyAll(weights.weights, weights.bias);
    return Promise.resolve();
  }

  /** @throws VoxlaneError `backend-failed` for other inputs */
  private sizeOf({ data, shape }: FloatTensor): { numWindows: number; numSamples: number; numFrames: number } {
    const [numWindows = 0, numChannels, numSamples = 0] = shape;
    const numFrames = this.memory.sizes(numSamples).at(-1)!;
    if (numWindows < 1 || numChannels !== 1 || numFrames < 1 || data.length !== numWindows * numSamples) {
      throw misused(`windows of ${shape.join(' × ')}`);
    }
    return { numWindows, numSamples, numFrames };
  }

  /** Computes the scores without a check, in as few batches as the device's limits allow. */
  private async compute({ data, shape }: FloatTensor): Promise<FloatTensor> {
    const { numWindows, numSamples, numFrames } = this.sizeOf({ data, shape });
    const most = this.memory.windowsAtOnce(numSamples);
    const parts: Float32Array[] = [];
    for (let first = 0; first < numWindows; first += most) {
      const count = Math.min(most, numWindows - first);
      const samples = data.subarray(first * numSamples, (first + count) * numSamples);
      parts.push(await this.computePart(samples, count, numSamples));
    }
    return { data: parts.length === 1 ? parts[0]! : concatenate(parts), shape: [numWindows, numFrames, this.numClasses] };
  }

  private computePart(samples: Float32Array, numWindows: number, numSamples: number): Promise<Float32Array> {
    const { device } = this.gpu;
    const numFrames = this.memory.sizes(numSamples).at(-1)!;
    return guardRoom(this.gpu, () => { this.freeRoom(); }, () => {
      const room = this.prepare(samples, numWindows, numSamples);
      const encoder = device.createCommandEncoder({ label: 'segmentation' });
      this.guard.reset(encoder);
      this.program.encode(encoder);
      return room.staging.read(encoder, room.scores, numWindows * numFrames * this.numClasses);
    });
  }

  /**
   * Lists the dispatches of a batch and uploads everything that they need.
   *
   * @param onNamed called after the dispatches of each named value. Only the marking of a broken output follows the last
   */
  private prepare(samples: Float32Array, numWindows: number, numSamples: number, onNamed: () => void = () => undefined): PyannetRoom {
    const room = this.memory.roomFor(numWindows, numSamples, () => { this.program.forgetBuffers(); });
    this.gpu.device.queue.writeBuffer(room.levels[0]!, 0, samples as Float32Array<ArrayBuffer>);
    const numFrames = this.memory.sizes(numSamples).at(-1)!;
    this.program.clear();
    this.guard.clear();
    this.addFilters(room, numWindows, numSamples);
    onNamed();
    this.addRows(room, numWindows, numFrames, onNamed);
    onNamed();
    this.guard.addMark(this.program, room.scores, numWindows * numFrames * this.numClasses);
    this.program.upload();
    return room;
  }

  private addFilters({ levels, items, factors }: PyannetRoom, numItems: number, numSamples: number): void {
    const sizes = this.memory.sizes(numSamples);
    const addStats = (level: number, numChannels: number, norm: GPUBuffer, { epsilon }: InstanceNorm, slope: number): void => {
      const stats = level === 0 ? this.stats.wave : this.stats.map;
      const values = { values: levels[level]!, rowStride: numChannels, numChannels, numItems, items: items[level]! };
      stats.add(this.program, { ...values, norm, epsilon, slope, out: factors[level]! });
    };
    addStats(0, 1, this.waveNorm, this.network.waveNorm, 1);
    for (const [index, { layer, weights, norm }] of this.filters.entries()) {
      const { convolution, magnitude, slope } = layer;
      const [before, size] = [index === 0 ? numSamples : sizes[index - 1]!, sizes[index]!];
      this.products.add(this.program, weights, {
        input: levels[index]!,
        inputRows: { base: 0, itemStride: before * convolution.numIn, outerStride: convolution.strides[0]! * convolution.numIn },
        factors: factors[index]!,
        channels: convolution.numIn,
        out: levels[index + 1]!,
        outRows: { base: 0, itemStride: size * convolution.numOut, outerStride: convolution.numOut },
        numRows: POOLED_ROWS * size,
        numItems,
        pool: magnitude ? 'magnitudes' : 'values',
      });
      addStats(index + 1, convolution.numOut, norm, layer.norm, slope);
      // A constant window becomes the shift of its norm: without a shift and biases, the filters return zeros.
      const allowZeros = index === 0 && [...convolution.bias, ...this.network.waveNorm.shift].every((value) => value === 0);
      this.guard.add(this.program, { map: levels[index + 1]!, rows: { perItem: size }, numItems, numChannels: convolution.numOut, allowZeros });
      this.guard.add(this.program, { map: factors[index + 1]!, rows: { perItem: 1 }, numItems, numChannels: 4 * convolution.numOut });
    }
  }

  private addRows({ levels, factors, gates, states, linears, scores }: PyannetRoom, numWindows: number, numFrames: number, onNamed: () => void): void {
    let input = levels.at(-1)!;
    const numRows = numWindows * numFrames;
    const rows = (width: number): { base: number; outerStride: number; itemStride: number } => ({ base: 0, outerStride: width, itemStride: numFrames * width });
    for (const [index, { weights, recurrent, numUnits }] of this.lstms.entries()) {
      const { numInputs, numColumns } = weights;
      const step = { input, inputRows: rows(numInputs), out: gates, outRows: rows(numColumns) };
      // The norm depends on the window, so its windows are items.
      if (index === 0) this.products.add(this.program, weights, { ...step, factors: factors.at(-1)!, channels: numInputs, numRows: numFrames, numItems: numWindows });
      else this.products.add(this.program, weights, { ...step, numRows });
      const out = states[index % 2]!;
      this.lstm.add(this.program, { numUnits, numWindows, numFrames, inputs: gates, weights: recurrent, out });
      // Each direction by itself.
      this.guard.add(this.program, { map: out, rows: { perItem: numFrames }, numItems: numWindows, numChannels: 2 * numUnits, firstChannels: numUnits, groupChannels: numUnits });
      input = out;
    }
    onNamed();
    for (const [index, weights] of this.linears.entries()) {
      const { slope } = this.network.linears[index]!;
      const [inputRows, outRows, out] = [rows(weights.numInputs), rows(weights.numColumns), linears[index]!];
      this.products.add(this.program, weights, { input, inputRows, out, outRows, numRows, slope });
      this.guard.add(this.program, { map: out, rows: { perItem: numFrames }, numItems: numWindows, numChannels: weights.numColumns });
      input = out;
      onNamed();
    }
    this.scores.add(this.program, { input, numRows, out: scores });
  }

  private get numClasses(): number {
    return this.network.classifier.bias.length;
  }

  private freeRoom(): void {
    this.program.forgetBuffers();
    this.memory.free();
  }
}

/** @throws VoxlaneError `model-invalid` if a layer does not fit the one before, or the kernels */
function checkWidths({ filters, lstms, linears, classifier }: PyannetGraph): void {
  const given = [1, ...filters.map(({ convolution }) => convolution.numOut), ...lstms.map(({ recurrent }) => 2 * recurrent.shape[2]!), ...linears.map(({ bias }) => bias.length)];
  const inputOf = ({ weight }: Linear): number => weight.shape[0]!;
  const taken = [...filters.map(({ convolution }) => convolution.numIn), ...lstms.map(({ input }) => input.shape[2]!), ...linears.map(inputOf), inputOf(classifier)];
  if (given.join() !== taken.join()) throw unlike(`its layers have ${given.join()} outputs per row, but the next layers have ${taken.join()} inputs`);
  if (filters.some(({ poolSize }) => poolSize !== POOLED_ROWS)) throw unlike(`its maxima are not over ${POOLED_ROWS} frames`);
  const units = new Set(lstms.map(({ recurrent }) => recurrent.shape[2]));
  if (units.size !== 1) throw unlike('its LSTMs have different numbers of units');
}

const misused = (given: string): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-failed',
    problem: `segmentation-3.0 on WebGPU does not accept ${given}`,
    expected: 'windows, axes (batch, channel, sample) with one channel, on the CPU',
  });
