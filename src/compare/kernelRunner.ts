import { readCampplus } from '../embedding/campplusGraph';
import { CampplusNet } from '../embedding/campplusNet';
import { GpuCampplus } from '../embedding/gpuCampplus';
import { GpuResnet } from '../embedding/gpuResnet';
import { GpuStatsPool, mapsByChannel } from '../embedding/gpuStatsPool';
import { framesOfMap, poolEmbeddings, statsPool } from '../embedding/statsPool';
import type { GpuContext } from '../gpu/context';
import { type GraphInfo, graphInfo, type ModelProto } from '../onnx/model';
import { type PooledHead, type PooledNetwork, splitAtPooling } from '../onnx/pooled';
import type { FloatTensor } from '../ort/graph';
import type { OnValue } from '../ort/kernelGraph';
import type { SessionTensor } from '../ort/session';
import { GpuPyannet } from '../segmentation/gpuPyannet';
import { readPyannet } from '../segmentation/pyannetGraph';
import { PyannetNet } from '../segmentation/pyannetNet';
import { VoxlaneError } from '../util/errors';
import { concatenate } from '../util/values';
import type { GraphTensor, ValueRunner } from './graphRunner';
import type { AnyManifest, Plan } from './plan';

/** A network on our own kernels that reports the graph values at the ends of its stages. */
export interface TracedNetwork {
  /** Names of the reported values in the order of computation; the last is the output. */
  readonly valueNames: readonly string[];
  /** @param onValue may return a replacement, with which the network continues */
  trace(input: FloatTensor, onValue?: OnValue): FloatTensor | Promise<FloatTensor>;
  /** Frees GPU memory. Networks on WASM have none, because their heap is garbage-collected. */
  release?(): Promise<void>;
}

/** Runs a network on our own kernels in place of a graph. Golden values replace the outputs of stages. */
export class KernelRunner implements ValueRunner {
  /** For calls that only feed values of later stages. */
  private lastInput: GraphTensor | null = null;

  /**
   * @param info describes the graph that the network was read from
   * @param input name of the graph's input
   * @param isSingle true if the network processes one batch item at a time
   */
  constructor(
    readonly info: GraphInfo,
    private readonly network: TracedNetwork,
    private readonly input: string,
    private readonly isSingle: boolean,
  ) {}

  /** Names of the values that {@link values} returns. */
  get valueNames(): readonly string[] {
    return this.network.valueNames;
  }

  inputsOf(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): readonly string[] {
    return [...new Set(outputs.map((output) => this.sourceOf(feeds, output, outputs)))];
  }

  /** @throws VoxlaneError `options` without the input, or if a golden value has another shape */
  async values(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Promise<Map<string, SessionTensor>> {
    const input = this.inputFor(feeds);
    const given = new Map([...feeds].filter(([name]) => name !== this.input && !outputs.includes(name)));
    const numItems = input.shape[0] ?? 1;
    if (!this.isSingle || numItems === 1) return this.run(input, given, outputs);
    const runs: Map<string, SessionTensor>[] = [];
    for (let item = 0; item < numItems; item++) {
      const own = new Map(Array.from(given, ([name, tensor]) => [name, itemOf(tensor, item)]));
      runs.push(await this.run(itemOf(input, item), own, outputs));
    }
    return new Map(outputs.map((name) => [name, batched(runs.map((run) => run.get(name)!))]));
  }

  async release(): Promise<void> {
    await this.network.release?.();
  }

  /**
   * The input to feed. If only later values are fed, an earlier input with the same number of items: its results are
   * replaced.
   */
  private inputFor(feeds: ReadonlyMap<string, GraphTensor>): GraphTensor {
    const input = feeds.get(this.input);
    if (input) return (this.lastInput = input);
    const last = this.lastInput;
    const [fed] = feeds.values();
    if (!last || !fed) throw unfit(`The graph's input ${this.input} is not given`);
    const first = itemOf(last, 0);
    const numItems = fed.shape[0] ?? 1;
    return { data: concatenate(Array<Float32Array>(numItems).fill(first.data)), shape: [numItems, ...first.shape.slice(1)] };
  }

  /** The last fed value before `output`, else the input. */
  private sourceOf(feeds: ReadonlyMap<string, GraphTensor>, output: string, outputs: readonly string[]): string {
    const { valueNames } = this.network;
    const before = valueNames.slice(0, Math.max(0, valueNames.indexOf(output)));
    return before.findLast((name) => feeds.has(name) && !outputs.includes(name)) ?? this.input;
  }

  private async run(input: GraphTensor, given: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Promise<Map<string, SessionTensor>> {
    const found = new Map<string, SessionTensor>();
    const result = await this.network.trace(input, (name, value) => {
      const other = given.get(name);
      if (other && other.shape.join() !== value.shape.join()) {
        throw unfit(`${name} has the shape ${value.shape.join(' × ')}; ${other.shape.join(' × ')} cannot replace it`);
      }
      const used = other ? { data: other.data, shape: value.shape } : value;
      if (outputs.includes(name)) found.set(name, toSession(used));
      return other && used;
    });
    found.set(this.network.valueNames.at(-1)!, toSession(result));
    const missing = outputs.filter((name) => !found.has(name));
    if (missing.length > 0) throw unfit(`The kernels do not compute ${missing.join(', ')}`);
    return found;
  }
}

const toSession = ({ data, shape }: FloatTensor): SessionTensor => ({ data, shape, dtype: 'float32' });

/** One item of a batch, as a batch of one. */
function itemOf({ data, shape }: GraphTensor, item: number): GraphTensor {
  const size = data.length / shape[0]!;
  return { data: data.subarray(item * size, (item + 1) * size), shape: [1, ...shape.slice(1)] };
}

/** Joins batches of one into one batch. */
const batched = (items: readonly SessionTensor[]): SessionTensor => ({
  data: concatenate(items.map(({ data }) => data)),
  shape: [items.length, ...items[0]!.shape.slice(1)],
  dtype: 'float32',
});

const unfit = (problem: string): VoxlaneError =>
  new VoxlaneError({ code: 'options', problem, expected: 'values that fit the network', remedy: 'Use goldens of this model' });

/** Computes statistics and embedding of one map on our own kernels, using every frame of the map. */
type PoolMap = (map: { readonly data: Float32Array; readonly numFrames: number }) => Promise<{
  /** Axes (statistic). */
  readonly statistics: Float32Array;
  /** Axes (dimension). */
  readonly embeddings: Float32Array;
}>;

/** Pooling as on WASM. */
export const poolOnCpu =
  (head: PooledHead): PoolMap =>
  (map) => {
    const weights = [new Float32Array(map.numFrames).fill(1)];
    return Promise.resolve({ statistics: Float32Array.from(statsPool(map, weights)), embeddings: poolEmbeddings(map, weights, head) });
  };

/**
 * Pooling by the WGSL kernels.
 *
 * @throws VoxlaneError `backend-failed` if a kernel does not compile
 */
export async function poolOnGpu(device: GPUDevice, head: PooledHead): Promise<PoolMap> {
  const pooling = await GpuStatsPool.create(device, head);
  return async ({ data, numFrames }) => {
    const buffer = device.createBuffer({ label: 'map', size: data.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    try {
      device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
      return await pooling.pool(mapsByChannel(buffer, numFrames, head.numChannels), [{ window: 0, weights: new Float32Array(numFrames).fill(1) }]);
    } finally {
      buffer.destroy();
    }
  };
}

/**
 * Runs a network with statistics pooling like a diarizer: the runtime computes the map, our own kernels its statistics and
 * the embedding. One call computes both, so golden statistics are not injected between them.
 */
export class PooledRunner implements ValueRunner {
  constructor(
    /** Runs the graph up to the map. */
    private readonly graph: ValueRunner,
    private readonly network: Pick<PooledNetwork, 'map' | 'statistics' | 'embedding' | 'head'>,
    private readonly pool: PoolMap,
  ) {}

  get info(): ValueRunner['info'] {
    return this.graph.info;
  }

  inputsOf(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): readonly string[] {
    const needed = outputs.map((name) => (this.isOwn(name) ? this.network.map : name));
    const given = this.withoutOwn(feeds);
    const fed = needed.filter((name) => given.has(name) && !outputs.includes(name));
    const computed = needed.filter((name) => !fed.includes(name));
    return [...new Set([...fed, ...(computed.length > 0 ? this.graph.inputsOf(given, computed) : [])])];
  }

  async values(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Promise<Map<string, SessionTensor>> {
    const { map, statistics, embedding } = this.network;
    const own = outputs.filter((name) => this.isOwn(name));
    const others = outputs.filter((name) => !this.isOwn(name));
    const given = this.withoutOwn(feeds);
    const isFed = given.has(map) && !outputs.includes(map);
    const asked = [...new Set([...others, ...(own.length > 0 && !isFed ? [map] : [])])];
    const found = asked.length > 0 ? await this.graph.values(given, asked) : new Map<string, SessionTensor>();
    if (own.length > 0) {
      const pooled = await this.pooledItems(isFed ? given.get(map)! : found.get(map)!);
      found.set(statistics, pooled.statistics);
      found.set(embedding, pooled.embeddings);
    }
    return new Map(outputs.map((name) => [name, found.get(name)!]));
  }

  release(): Promise<void> {
    return this.graph.release();
  }

  private async pooledItems({ data, shape }: GraphTensor): Promise<{ statistics: SessionTensor; embeddings: SessionTensor }> {
    const [numItems = 1] = shape;
    const size = data.length / numItems;
    const numFrames = framesOfMap(shape, this.network.head);
    const statistics: Float32Array[] = [];
    const embeddings: Float32Array[] = [];
    for (let item = 0; item < numItems; item++) {
      const pooled = await this.pool({ data: data.slice(item * size, (item + 1) * size), numFrames });
      statistics.push(pooled.statistics);
      embeddings.push(pooled.embeddings);
    }
    const tensor = (rows: readonly Float32Array[]): SessionTensor => ({ data: concatenate(rows), shape: [numItems, rows[0]!.length], dtype: 'float32' });
    return { statistics: tensor(statistics), embeddings: tensor(embeddings) };
  }

  private isOwn(name: string): boolean {
    return name === this.network.statistics || name === this.network.embedding;
  }

  private withoutOwn(feeds: ReadonlyMap<string, GraphTensor>): Map<string, GraphTensor> {
    return new Map([...feeds].filter(([name]) => !this.isOwn(name)));
  }
}

/** Runs values that our own kernels compute on them, and other values of the graph on the runtime. */
export class JoinedRunner implements ValueRunner {
  constructor(
    private readonly kernels: KernelRunner,
    private readonly runtime: ValueRunner,
  ) {}

  get info(): GraphInfo {
    return this.kernels.info;
  }

  inputsOf(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): readonly string[] {
    return [...new Set(this.parts(outputs).flatMap(([runner, names]) => runner.inputsOf(feeds, names)))];
  }

  async values(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Promise<Map<string, SessionTensor>> {
    const found = new Map<string, SessionTensor>();
    for (const [runner, names] of this.parts(outputs)) {
      const needed = new Set(runner.inputsOf(feeds, names));
      const given = new Map([...feeds].filter(([name]) => needed.has(name)));
      for (const [name, tensor] of await runner.values(given, names)) found.set(name, tensor);
    }
    return found;
  }

  async release(): Promise<void> {
    await this.kernels.release();
    await this.runtime.release();
  }

  /** The runners with the outputs that they compute. */
  private parts(outputs: readonly string[]): (readonly [ValueRunner, string[]])[] {
    const isOwn = (name: string): boolean => this.kernels.valueNames.includes(name);
    const parts = [[this.kernels, outputs.filter(isOwn)], [this.runtime, outputs.filter((name) => !isOwn(name))]] as const;
    return parts.filter(([, names]) => names.length > 0);
  }
}

/** True if a network pools statistics with our own kernels. */
const isPooled = (manifest: AnyManifest): boolean => manifest.task === 'embedding' && manifest.pooling === 'statistics';

/** True if a diarizer runs this graph on our own kernels, in whole or in part. ONNX Runtime runs all other graphs. */
export function hasKernels(model: ModelProto, manifest: AnyManifest | null): boolean {
  if (!manifest) return false;
  const names = { input: manifest.input.name, output: manifest.output.name };
  return (
    ifRead(() => {
      if (manifest.task === 'segmentation') readPyannet(model, names);
      else if (isPooled(manifest)) splitAtPooling(model);
      else readCampplus(model, names);
      return true;
    }) ?? false
  );
}

/**
 * Opens the kernels that a diarizer runs on WASM.
 *
 * @param runtime runs the parts of the graph without a kernel
 * @throws VoxlaneError `model-invalid` for a graph that the kernels do not compute, `backend-unavailable` without SIMD
 */
export function openKernels(model: ModelProto, manifest: AnyManifest, runtime: ValueRunner): ValueRunner {
  if (isPooled(manifest)) {
    const network = splitAtPooling(model);
    return new PooledRunner(runtime, network, poolOnCpu(network.head));
  }
  const isSegmentation = manifest.task === 'segmentation';
  const network = isSegmentation ? PyannetNet.ofModel(model, manifest) : CampplusNet.ofModel(model, manifest);
  return new KernelRunner(graphInfo(model), network, manifest.input.name, !isSegmentation);
}

/**
 * Opens the kernels that a diarizer runs on a GPU.
 *
 * @param runtime runs the parts of the graph without a kernel, on the same GPU
 * @returns `runtime` for a graph that the kernels do not compute, or if they do not compile
 */
export async function openGpuKernels(model: ModelProto, manifest: AnyManifest | null, runtime: ValueRunner, gpu: GpuContext): Promise<ValueRunner> {
  if (!manifest) return runtime;
  try {
    if (isPooled(manifest)) {
      const network = splitAtPooling(model);
      const resnet = await openResnet(gpu, network, manifest);
      if (resnet) return new JoinedRunner(new KernelRunner(graphInfo(model), resnet, network.input, true), runtime);
      return new PooledRunner(runtime, network, await poolOnGpu(gpu.device, network.head));
    }
    const isSegmentation = manifest.task === 'segmentation';
    const network = await (isSegmentation ? GpuPyannet.ofModel(gpu, model, manifest) : GpuCampplus.ofModel(gpu, model, manifest));
    return new JoinedRunner(new KernelRunner(graphInfo(model), network, manifest.input.name, !isSegmentation), runtime);
  } catch (error) {
    if (error instanceof VoxlaneError && (error.code === 'model-invalid' || error.code === 'backend-failed')) return runtime;
    throw error;
  }
}

/** ResNet34 as a diarizer runs it; null for another network with statistics pooling, or if the kernels do not compile. */
async function openResnet(gpu: GpuContext, network: PooledNetwork, manifest: AnyManifest): Promise<GpuResnet | null> {
  if (manifest.task !== 'embedding') return null;
  try {
    return await GpuResnet.open(gpu, network, manifest.fbank);
  } catch (error) {
    if (error instanceof VoxlaneError && (error.code === 'model-invalid' || error.code === 'backend-failed')) return null;
    throw error;
  }
}

/** The plan with the stages whose values the kernels return. The others count as not compared. */
export function planForKernels(plan: Plan, runner: ValueRunner): Plan {
  if (!(runner instanceof KernelRunner)) return plan;
  const given = new Set(runner.valueNames);
  const isGiven = ({ isFeatures, value }: Plan['stages'][number]): boolean => isFeatures || given.has(value);
  const left = new Set([...plan.stages.filter((stage) => !isGiven(stage)).map(({ golden }) => golden), ...plan.unmapped]);
  const order = new Map(plan.bundleOrder.map((name, index) => [name, index]));
  const unmapped = [...left].toSorted((a, b) => order.get(a.name)! - order.get(b.name)!);
  return { ...plan, stages: plan.stages.filter(isGiven), unmapped };
}

/** Null if the graph is a different one. */
function ifRead<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof VoxlaneError && error.code === 'model-invalid') return null;
    throw error;
  }
}
