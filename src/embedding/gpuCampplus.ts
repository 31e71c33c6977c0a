import { destroyAll, storageBuffer } from '../gpu/buffers';
import { ChannelStats } from '../gpu/channelStats';
import { type GpuContext, guardRoom, openGuarded, type Own } from '../gpu/context';
import { MapGuard } from '../gpu/mapGuard';
import { type GpuWeights, packWeights, type PackedWeights, ProductKernels, uploadWeights } from '../gpu/product';
import { Program } from '../gpu/program';
import { type ModelProto, parseOnnx } from '../onnx/model';
import type { FloatTensor, Graph } from '../ort/graph';
import type { OnValue } from '../ort/kernelGraph';
import type { TensorSpec } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { healthy } from '../util/values';
import { type CampplusGraph, readCampplus, unlike } from './campplusGraph';
import { type BatchLayout, divideItems, layOutItems, MAX_SLICES, type RowGeometry, rowGeometry } from './campplusLayout';
import { CampplusMemory, type CampplusRoom, type EmbeddingJob, type FeatureSource } from './campplusMemory';
import { GpuCampplusBlocks, tapWeights } from './gpuCampplusBlocks';
import { GpuCampplusHead } from './gpuCampplusHead';
import { GpuGatherBatch } from './gpuGatherBatch';
import { type Mark, traceProgram, vectorAt } from './gpuTrace';
import { PADDING_COLUMNS } from './imageLayout';

/** Facts from the manifest of the file. */
interface CampplusSpec {
  readonly id: string;
  readonly input: TensorSpec;
  readonly output: TensorSpec;
}

/** Maximum number of dispatches of a batch. */
const MAX_DISPATCHES = 320;
/**
 * CAM++ on our own WGSL kernels, used instead of an ONNX Runtime session of the same file. Many speakers of different
 * lengths are one batch: their frames are in one sequence, with gaps of zeros that serve as padding. Only embeddings
 * are read back.
 */
export class GpuCampplus implements Graph {
  private readonly program: Program;
  private readonly geometry: RowGeometry;
  private readonly memory: CampplusMemory;
  private source: GPUBuffer | null = null;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly network: CampplusGraph,
    private readonly output: TensorSpec,
    private readonly numMelBins: number,
    private readonly products: ProductKernels,
    private readonly gather: GpuGatherBatch,
    private readonly head: GpuCampplusHead,
    private readonly tdnn: GpuWeights,
    private readonly blocks: GpuCampplusBlocks,
    private readonly stats: ChannelStats,
    private readonly linear: GpuWeights,
    private readonly guard: MapGuard,
  ) {
    this.geometry = rowGeometry(network.tdnn, blocks.reach, network.segmentFrames);
    this.program = new Program(gpu.device, 'embedding', MAX_DISPATCHES);
    this.memory = new CampplusMemory(gpu.device, { geometry: this.geometry, numMelBins, head, blocks, guard, dimension: linear.numColumns });
  }

  /**
   * Compiles the kernels and uploads the weights.
   *
   * @param bytes of the verified ONNX file; not used afterward
   * @throws VoxlaneError `model-invalid` for a graph with another structure, which ONNX Runtime may still run;
   *   `backend-failed` if a kernel does not compile
   */
  static open(gpu: GpuContext, bytes: Uint8Array, facts: CampplusSpec): Promise<GpuCampplus> {
    return GpuCampplus.ofModel(gpu, parseOnnx(bytes, facts.id), facts);
  }

  /** Like {@link open}, for a parsed file. */
  static ofModel(gpu: GpuContext, model: ModelProto, { input, output }: CampplusSpec): Promise<GpuCampplus> {
    const numMelBins = input.shape.at(-1);
    if (typeof numMelBins !== 'number') throw unlike('its manifest declares no number of mel bins');
    const network = readCampplus(model, { input: input.name, output: output.name });
    return openGuarded(gpu, (own) => GpuCampplus.build(gpu, network, output, numMelBins, own));
  }

  private static async build(gpu: GpuContext, network: CampplusGraph, output: TensorSpec, numMelBins: number, own: Own): Promise<GpuCampplus> {
    const { device } = gpu;
    const upload = (packed: PackedWeights): GpuWeights => uploadWeights(device, 'embedding weights', packed, own);
    const products = own(new ProductKernels(device));
    const head = new GpuCampplusHead(device, products, network, numMelBins, upload);
    const tdnn = upload(packTdnn(network, head));
    const blocks = new GpuCampplusBlocks(device, products, network, upload, own);
    const { weight, bias } = network.embedding;
    const [numColumns, numInputs] = weight.shape as [number, number];
    if (numInputs !== 2 * blocks.numOutputs) throw unlike(`it pools ${numInputs} statistics`);
    const linear = upload(packWeights({ numInputs, numColumns, bias }, tapWeights(weight.data, numInputs, 1)));
    const [gather, stats, guard] = await Promise.all([
      GpuGatherBatch.open(device),
      ChannelStats.open(device, 'deviations', blocks.numOutputs),
      MapGuard.open(device),
      head.open(),
      blocks.open(),
      products.open(tdnn),
      products.open(linear),
    ]);
    const campplus = new GpuCampplus(gpu, network, output, numMelBins, products, gather, head, tdnn, blocks, stats, linear, guard);
    own(campplus.program);
    return campplus;
  }

  /**
   * Number of dispatches of a batch with the most slices: gathering, slices, filter, blocks, statistics, linear layer; checks
   * of the features, the maps in the head, its output, the maps of the blocks, their output and the statistics; marking.
   */
  get maxDispatches(): number {
    return MAX_SLICES * this.head.numDispatches + this.blocks.numDispatches + 4 + this.network.blocks.length + 6;
  }

  /** Names of the values reported by {@link trace}, followed by the output. */
  get valueNames(): readonly string[] {
    const { head, tdnn, blocks, pooling } = this.network.values;
    return [head, tdnn, ...blocks, pooling, this.output.name];
  }

  /**
   * Computes one speaker, with the signature of a session.
   *
   * @param input features, axes (batch, frame, mel), batch size 1, whose mean has been subtracted
   */
  async run(input: Parameters<Graph['run']>[0], beforeReadback?: Parameters<Graph['run']>[1]): Promise<FloatTensor> {
    const { numFrames, buffer } = this.sourceOf(input);
    const data = await this.embed({ buffer, numFrames }, wholeWindow(numFrames), { subtractMean: false, beforeReadback });
    return { data: healthy(data, this.output.name, 'gpu-wrong'), shape: [1, data.length] };
  }

  /**
   * Computes the embeddings of many speakers, without a check.
   *
   * @param beforeReadback adds commands to the submission that copies the embeddings
   * @returns axes (job, dimension)
   * @throws VoxlaneError `gpu-memory`, `gpu-lost`, `backend-failed`
   */
  async embed(
    source: FeatureSource,
    jobs: readonly EmbeddingJob[],
    { subtractMean, beforeReadback }: { readonly subtractMean: boolean; readonly beforeReadback?: Parameters<Graph['run']>[1] },
  ): Promise<Float32Array> {
    const size = this.linear.numColumns;
    const embeddings = new Float32Array(jobs.length * size);
    const lengths = jobs.map(({ used }) => used.length);
    for (const indices of divideItems(lengths, this.geometry, this.memory.maxRows)) {
      const layout = layOutItems(indices, lengths, this.geometry, this.memory.maxSliceFrames);
      const length = layout.items.length * size;
      const data = await guardRoom(this.gpu, () => { this.freeRoom(); }, () => {
        const encoder = this.gpu.device.createCommandEncoder({ label: 'embedding' });
        const { buffers, staging } = this.prepare(source, jobs, layout, subtractMean);
        this.guard.reset(encoder);
        encoder.clearBuffer(buffers.found, 0, 4 * layout.items.length * this.head.numSurveyed);
        this.program.encode(encoder);
        beforeReadback?.(encoder, buffers.embeddings, 4 * length);
        return staging.read(encoder, buffers.embeddings, length);
      });
      for (const [place, { index }] of layout.items.entries()) embeddings.set(data.subarray(place * size, (place + 1) * size), index * size);
    }
    return embeddings;
  }

  /**
   * Computes one speaker, for comparisons: reads every named value back and reports it, and does not check the output.
   *
   * @param input axes (batch, frame, mel), batch size 1
   * @returns axes (batch, dimension)
   */
  async trace(input: FloatTensor, onValue: OnValue = () => undefined): Promise<FloatTensor> {
    const { numFrames, buffer } = this.sourceOf(input);
    const layout = layOutItems([0], [numFrames], this.geometry, this.memory.maxSliceFrames);
    const { device } = this.gpu;
    return guardRoom(this.gpu, () => { this.freeRoom(); }, async () => {
      const marks: Mark[] = [];
      this.prepare({ buffer, numFrames }, wholeWindow(numFrames), layout, false, marks);
      return traceProgram(device, this.program, marks, onValue);
    });
  }

  release(): Promise<void> {
    this.freeRoom();
    this.source?.destroy();
    this.head.destroy();
    this.blocks.destroy();
    this.products.destroy();
    this.program.destroy();
    for (const { weights, bias } of [this.tdnn, this.linear]) destroyAll(weights, bias);
    return Promise.resolve();
  }

  /** Lists the dispatches of a batch and uploads everything that they need. */
  private prepare(source: FeatureSource, jobs: readonly EmbeddingJob[], layout: BatchLayout, subtractMean: boolean, marks: Mark[] = []): CampplusRoom {
    const room = this.memory.roomFor(source, layout, () => { this.program.forgetBuffers(); });
    const { buffers } = room;
    this.memory.fill(room, jobs, layout);
    const { program, numMelBins, network: { values, tdnn, embedding } } = this;
    program.clear();
    this.guard.clear();
    const { numRows, items } = layout;
    const numItems = items.length;
    const { firstRow, numRows: ownRows, numFrames } = items[0]!;
    const mark = (name: string, value: Omit<Mark, 'name' | 'end'>): void => void marks.push({ name, end: program.numDispatches, ...value });

    this.gather.add(program, { features: source.buffer, numFrames: source.numFrames, numMelBins, subtractMean, out: buffers.features }, { jobs: buffers.jobs, used: buffers.used, numJobs: numItems });
    const guarded = { items: buffers.statsItems, most: Math.max(...items.map((item) => item.numRows)) };
    const framesOf = { ...guarded, scale: this.geometry.stride, most: this.geometry.stride * guarded.most };
    const allowZeros = !items.every(({ index }) => jobs[index]!.varies);
    this.guard.add(program, { map: buffers.features, rows: framesOf, numItems, numChannels: numMelBins + PADDING_COLUMNS, allowZeros });
    this.head.add(program, layout, { features: buffers.features, table: buffers.frameTable, found: buffers.found, out: buffers.head });
    this.guard.add(program, { map: buffers.found, rows: { perItem: 1 }, numItems, numChannels: this.head.numSurveyed, firstChannels: 1, groupChannels: 1 });
    const width = this.head.numOutputs;
    const orderOf = (channel: number): number => headOrder(channel, this.head);
    this.guard.add(program, { map: buffers.head, rows: framesOf, numItems, numChannels: width });
    mark(values.head, mapAt(buffers.head, { firstRow: firstRow * this.geometry.stride, numRows: numFrames, rowStride: width, numChannels: width, orderOf }));

    const stride = this.blocks.maxChannels;
    const rows = { base: 0, outerStride: stride };
    const { stride: frames } = this.geometry;
    this.products.add(program, this.tdnn, {
      input: buffers.head,
      inputRows: { base: -tdnn.pads[0]! * width, outerStride: frames * width },
      out: buffers.mapA,
      outRows: rows,
      numRows,
      slope: 0,
    });
    const ownPlace = { firstRow, numRows: ownRows, rowStride: stride };
    mark(values.tdnn, mapAt(buffers.mapA, { ...ownPlace, numChannels: this.tdnn.numColumns }));

    const { hidden, sums, gates, rowTable, gateItems, mapA, mapB } = buffers;
    const blockValues = values.blocks.values();
    const map = this.blocks.add(program, { maps: [mapA, mapB], hidden, sums, gates, rowTable, items: gateItems }, { numRows, numItems }, (buffer, channels, firstChannels) => {
      // Every layer of the block by itself: its output follows the channels before it.
      this.guard.add(program, { map: buffer, rows: guarded, numItems, rowStride: stride, numChannels: channels, firstChannels, groupChannels: this.blocks.shape.numGates });
      mark(blockValues.next().value!, mapAt(buffer, { ...ownPlace, numChannels: channels }));
    });
    const { numOutputs } = this.blocks;
    this.stats.add(program, { values: map, rowStride: stride, numChannels: numOutputs, numItems, items: buffers.statsItems, out: buffers.statistics });
    this.guard.add(program, { map, rows: guarded, numItems, rowStride: stride, numChannels: numOutputs });
    this.guard.add(program, { map: buffers.statistics, rows: { perItem: 1 }, numItems, numChannels: 2 * numOutputs });
    mark(values.pooling, vectorAt(buffers.statistics, 2 * numOutputs));
    const { numInputs, numColumns } = this.linear;
    this.products.add(program, this.linear, {
      input: buffers.statistics,
      inputRows: { base: 0, outerStride: numInputs },
      out: buffers.embeddings,
      outRows: { base: 0, outerStride: numColumns },
      numRows: numItems,
      slope: embedding.relu ? 0 : 1,
    });
    mark(this.output.name, vectorAt(buffers.embeddings, numColumns));
    this.guard.addMark(program, buffers.embeddings, numItems * numColumns);
    program.upload();
    return room;
  }

  /** The features of a call of {@link run} or {@link trace}. */
  private sourceOf(input: Parameters<Graph['run']>[0]): FeatureSource {
    const [batch, numFrames = 0, numMelBins] = input.shape;
    if (batch !== 1 || numFrames < 1 || numMelBins !== this.numMelBins) throw misused(`features of ${input.shape.join(' × ')}`);
    if ('buffer' in input) return { buffer: input.buffer, numFrames };
    if (!this.source || this.source.size < input.data.byteLength) {
      this.source?.destroy();
      this.source = storageBuffer(this.gpu.device, 'embedding features', input.data.length);
    }
    this.gpu.device.queue.writeBuffer(this.source, 0, input.data as Float32Array<ArrayBuffer>);
    return { buffer: this.source, numFrames };
  }

  private freeRoom(): void {
    this.program.forgetBuffers();
    this.memory.free();
  }
}

/** All frames of one window. */
const wholeWindow = (numFrames: number): EmbeddingJob[] => [{ window: 0, used: Uint32Array.from({ length: numFrames }, (_, frame) => frame) }];

/** Places of a map with the frames of one speaker as its rows. The graph has the axes (batch, channel, frame). */
interface MapPlace {
  readonly firstRow: number;
  readonly numRows: number;
  /** Values from row to row. */
  readonly rowStride: number;
  readonly numChannels: number;
  /** Column for each channel of the graph. */
  readonly orderOf?: (channel: number) => number;
}

const mapAt = (buffer: GPUBuffer, { firstRow, numRows, rowStride, numChannels, orderOf = (channel) => channel }: MapPlace): Omit<Mark, 'name' | 'end'> => ({
  buffer,
  shape: [1, numChannels, numRows],
  placeOf: (i) => (firstRow + (i % numRows)) * rowStride + orderOf(Math.floor(i / numRows)),
});

/** The graph merges channels and frequencies into one axis, channels first. The head's rows have frequencies first. */
function headOrder(channel: number, { numChannels, numOutputs }: Pick<GpuCampplusHead, 'numChannels' | 'numOutputs'>): number {
  const numFrequencies = numOutputs / numChannels;
  return (channel % numFrequencies) * numChannels + Math.floor(channel / numFrequencies);
}

function packTdnn({ tdnn }: CampplusGraph, head: GpuCampplusHead): PackedWeights {
  const { weight, numIn, numOut, bias, taps, strides, pads, dilations } = tdnn;
  const [numTaps = 0] = taps;
  const centered = taps.length === 1 && dilations[0] === 1 && numTaps === 2 * pads[0]! + 1;
  if (!centered || strides[0]! < 1 || numIn !== head.numOutputs) throw unlike('its second part is not a centered filter over frames');
  // The graph's channel for each column of the head: the inverse of headOrder.
  const { numChannels } = head;
  const numFrequencies = numIn / numChannels;
  const orderOf = (column: number): number => (column % numChannels) * numFrequencies + Math.floor(column / numChannels);
  return packWeights({ numInputs: numTaps * numIn, numColumns: numOut, bias }, tapWeights(weight, numIn, numTaps, orderOf));
}

const misused = (given: string): VoxlaneError =>
  new VoxlaneError({
    code: 'backend-failed',
    problem: `CAM++ on WebGPU does not accept ${given}`,
    expected: 'features of one speaker, axes (batch, frame, mel)',
  });
