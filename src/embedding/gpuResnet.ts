import { maxBindingBytes } from '../gpu/adapter';
import { destroyAll, Staging, storageBuffer } from '../gpu/buffers';
import { type GpuContext, guardRoom, openGuarded } from '../gpu/context';
import { MapGuard } from '../gpu/mapGuard';
import { type PackedWeights, ProductKernels, uploadWeights } from '../gpu/product';
import { Program } from '../gpu/program';
import type { PooledNetwork } from '../onnx/pooled';
import type { FloatTensor } from '../ort/graph';
import type { OnValue } from '../ort/kernelGraph';
import type { FbankSpec } from '../store/manifest';
import { type GpuPooledNetwork, masksOf, type OnResult, type PooledBatch, type PoolFeatures } from './gpuPooledNetwork';
import { GpuResnetLayers, type Image } from './gpuResnetLayers';
import { type GpuFrameMaps, GpuStatsPool, POOLING_DISPATCHES, type PoolRoom } from './gpuStatsPool';
import { type Mark, traceProgram, vectorAt } from './gpuTrace';
import { GpuWholeWindows, type WindowFeatures } from './gpuWholeWindows';
import { firstPlace, frameLength, maxBatchWindows, windowLength } from './imageLayout';
import { EVERY_FRAME } from './mask';
import type { PoolJob } from './pooledBackend';
import { mapSizes, readResnet, type ResnetGraph, unlike } from './resnetGraph';
import { isEmpty } from './statsPool';

/** Dispatches besides the convolutions with a check of each map, and the pooling: gathering, checks of features and statistics, marking. */
const OTHER_DISPATCHES = 4;

/** Sizes for which memory is allocated. */
interface Sizes {
  readonly numWindows: number;
  readonly numFrames: number;
  readonly numMasks: number;
}

/**
 * ResNet34 on our own WGSL kernels, from features to embeddings. All windows of a batch are computed together, in a number of dispatches that
 * does not depend on the batch. Only embeddings are read back.
 */
export class GpuResnet implements GpuPooledNetwork {
  private readonly program: Program;
  private sizes: Sizes | null = null;
  private staging: Staging | null = null;
  private source: GPUBuffer | null = null;

  private constructor(
    private readonly gpu: GpuContext,
    private readonly network: PooledNetwork,
    private readonly graph: ResnetGraph,
    private readonly fbank: Pick<FbankSpec, 'numMelBins' | 'subtractMean'>,
    private readonly products: ProductKernels,
    private readonly layers: GpuResnetLayers,
    private readonly windows: GpuWholeWindows,
    private readonly statistics: GpuStatsPool,
    private readonly guard: MapGuard,
  ) {
    this.program = new Program(gpu.device, 'embedding', this.numDispatches);
  }

  /**
   * Compiles the kernels and uploads the weights.
   *
   * @throws VoxlaneError `model-invalid` for a graph with another structure or for another number of mel bins, which ONNX Runtime may
   *   still run; `backend-failed` if a kernel does not compile
   */
  static async open(gpu: GpuContext, network: PooledNetwork, fbank: Pick<FbankSpec, 'numMelBins' | 'subtractMean'>): Promise<GpuResnet> {
    const graph = readResnet(network);
    checkMap(graph, network, fbank.numMelBins);
    return openGuarded(gpu, async (own) => {
      const { device } = gpu;
      const products = own(new ProductKernels(device));
      const upload = (packed: PackedWeights) => uploadWeights(device, 'embedding weights', packed, own);
      const layers = new GpuResnetLayers(device, products, graph, fbank.numMelBins, upload);
      const [windows, statistics, guard] = await Promise.all([
        GpuWholeWindows.open(device, true),
        GpuStatsPool.create(device, network.head).then(own),
        MapGuard.open(device),
        layers.open(),
      ]);
      const resnet = new GpuResnet(gpu, network, graph, fbank, products, layers, windows, statistics, guard);
      own(resnet.program);
      return resnet;
    });
  }

  /** Number of dispatches of a batch of any size. */
  get numDispatches(): number {
    return 2 * this.layers.numConvolutions + POOLING_DISPATCHES + OTHER_DISPATCHES;
  }

  /** Names of the values reported by {@link trace}: the ends of the layers, the statistics, the embedding. */
  get valueNames(): readonly string[] {
    return [...this.graph.layerValues.filter((name) => name !== null), this.network.statistics, this.network.embedding];
  }

  maxWindows(numFrames: number): number {
    return maxBatchWindows(this.graph, numFrames, this.fbank.numMelBins, maxBindingBytes(this.gpu.device.limits));
  }

  embed(features: PoolFeatures, jobs: readonly PoolJob[], beforeReadback: OnResult): Promise<PooledBatch> {
    return guardRoom(this.gpu, () => { this.freeRoom(); }, async () => {
      const mapFrames = mapSizes(this.graph, features.numFrames, this.fbank.numMelBins).at(-1)!.numFrames;
      const masks = masksOf(jobs, mapFrames);
      const numWindows = Math.max(jobs.length, Math.min(features.numWindows, this.maxWindows(features.numFrames)));
      const room = this.roomFor({ numFrames: features.numFrames, numWindows, numMasks: Math.max(masks.length, numWindows * features.numSpeakers) });
      const allowZeros = !jobs.every(({ window }) => features.varies[window]);
      this.list(features, jobs.map(({ window }) => window), masks, room, { subtractMean: this.fbank.subtractMean, allowZeros });
      const encoder = this.gpu.device.createCommandEncoder({ label: 'embedding' });
      this.guard.reset(encoder);
      this.program.encode(encoder);
      const length = masks.length * this.network.head.embeddingSize;
      beforeReadback(encoder, room.embeddings, 4 * length);
      return { embeddings: await this.staging!.read(encoder, room.embeddings, length), masks };
    });
  }

  /**
   * Computes one speaker in all frames, for comparisons: reads every named value back and reports it, and does not check the output.
   *
   * @param input features whose mean has been subtracted, axes (batch, frame, mel), batch size 1
   * @returns axes (batch, dimension)
   */
  trace({ data, shape }: FloatTensor, onValue: OnValue = () => undefined): Promise<FloatTensor> {
    const { device } = this.gpu;
    const [, numFrames = 0] = shape;
    return guardRoom(this.gpu, () => { this.freeRoom(); }, async () => {
      if (!this.source || this.source.size < data.byteLength) {
        this.source?.destroy();
        this.source = storageBuffer(device, 'embedding features', data.length);
      }
      device.queue.writeBuffer(this.source, 0, data as Float32Array<ArrayBuffer>);
      const room = this.roomFor({ numFrames, numWindows: 1, numMasks: 1 });
      const masks = masksOf([{ window: 0, masks: [EVERY_FRAME] }], mapSizes(this.graph, numFrames, this.fbank.numMelBins).at(-1)!.numFrames);
      const marks: Mark[] = [];
      this.list({ buffer: this.source, numFrames, numMelBins: this.fbank.numMelBins }, [0], masks, room, { subtractMean: false, allowZeros: true }, marks);
      return traceProgram(device, this.program, marks, onValue);
    });
  }

  release(): Promise<void> {
    this.freeRoom();
    this.source?.destroy();
    this.layers.destroy();
    this.statistics.destroy();
    this.products.destroy();
    this.program.destroy();
    return Promise.resolve();
  }

  /** Lists the dispatches of a batch and uploads everything that they need. */
  private list(
    features: WindowFeatures,
    windows: readonly number[],
    masks: ReturnType<typeof masksOf>,
    room: PoolRoom,
    { subtractMean, allowZeros }: { readonly subtractMean: boolean; readonly allowZeros: boolean },
    marks: Mark[] = [],
  ): void {
    const { program, guard, network: { head } } = this;
    const numItems = windows.length;
    program.clear();
    guard.clear();
    const check = (map: Image, zeros = false): void => {
      guard.add(program, { map: map.buffer, rows: { perItem: map.numFrames + 1 }, numItems, numChannels: frameLength(map), allowZeros: zeros });
    };
    this.windows.add(program, features, windows, subtractMean);
    const input: Image = { buffer: this.windows.input, numFrames: features.numFrames, numFrequencies: features.numMelBins, numChannels: 1 };
    check(input, allowZeros);
    this.layers.add(program, input, numItems, (map, index) => {
      check(map);
      const name = index === null ? null : this.graph.layerValues[index]!;
      if (name !== null) marks.push({ name, end: program.numDispatches, buffer: map.buffer, shape: shapeOf(map), placeOf: (i) => placeIn(map, i) });
    });
    this.statistics.add(program, mapsOf(this.layers.output), masks, room);
    const numStatistics = 2 * head.numChannels;
    guard.add(program, {
      map: room.statistics,
      rows: { perItem: 1 },
      numItems: masks.length,
      numChannels: numStatistics,
      allowZeros: masks.some(({ weights }) => isEmpty(weights)),
    });
    // The statistics are complete before the last layer: the check and the layer read them.
    marks.push({ name: this.network.statistics, end: program.numDispatches - 2, ...vectorAt(room.statistics, numStatistics) });
    guard.addMark(program, room.embeddings, masks.length * head.embeddingSize);
    marks.push({ name: this.network.embedding, end: program.numDispatches - 1, ...vectorAt(room.embeddings, head.embeddingSize) });
    program.upload();
  }

  /** The memory for a batch. Windows of another length need other padding, so their maps are new. */
  private roomFor(needed: Sizes): PoolRoom {
    const own = this.sizes?.numFrames === needed.numFrames ? this.sizes : null;
    const forget = (): void => { this.program.forgetBuffers(); };
    if (!own || own.numWindows < needed.numWindows || own.numMasks < needed.numMasks) {
      this.freeRoom();
      const numWindows = Math.max(needed.numWindows, own?.numWindows ?? 0);
      const numMasks = Math.max(needed.numMasks, own?.numMasks ?? 0);
      const { numFrames } = needed;
      this.windows.layOut(numWindows, numFrames, this.fbank.numMelBins);
      this.layers.layOut(numWindows, numFrames);
      this.guard.layOut(numWindows * (1 + this.layers.numConvolutions) + numMasks);
      this.staging = new Staging(this.gpu.device, numMasks * this.network.head.embeddingSize);
      this.sizes = { numWindows, numFrames, numMasks };
    }
    return this.statistics.roomFor(this.sizes!.numMasks, this.layers.output.numFrames, forget);
  }

  private freeRoom(): void {
    this.program.forgetBuffers();
    this.windows.free();
    this.layers.free();
    this.guard.free();
    this.statistics.free();
    if (this.staging) destroyAll(this.staging);
    this.staging = null;
    this.sizes = null;
  }
}

/** With another number of mel bins, the kernels would pool other channels than the file, without an error. */
function checkMap(graph: ResnetGraph, { head }: PooledNetwork, numMelBins: number): void {
  const { numChannels, numFrequencies } = mapSizes(graph, 1, numMelBins).at(-1)!;
  if (numChannels * numFrequencies === head.numChannels) return;
  throw unlike(`its pooling expects ${head.numChannels} channels, but ${numMelBins} mel bins result in ${numChannels} × ${numFrequencies}`);
}

/** Axes (batch, channel, frequency, frame) of a window, as in the graph. */
const shapeOf = ({ numChannels, numFrequencies, numFrames }: Image): number[] => [1, numChannels, numFrequencies, numFrames];

/** Place of a value of the first window in the graph's order. */
function placeIn(map: Image, index: number): number {
  const { numFrames, numFrequencies, numChannels } = map;
  const frame = index % numFrames;
  const row = Math.floor(index / numFrames);
  return firstPlace(map) + frame * frameLength(map) + (row % numFrequencies) * numChannels + Math.floor(row / numFrequencies);
}

/** The head merges channels and frequencies into one axis, channels first. */
const mapsOf = (map: Image): GpuFrameMaps => ({
  buffer: map.buffer,
  numFrames: map.numFrames,
  base: firstPlace(map),
  windowStride: windowLength(map),
  frameStride: frameLength(map),
  inner: map.numFrequencies,
  outerStride: 1,
  innerStride: map.numChannels,
});
