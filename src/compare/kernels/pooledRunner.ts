import { poolEmbeddings, statsPool } from '../../embedding/statsPool';
import { GpuStatsPool } from '../../embedding/gpuStatsPool';
import type { PooledHead, PooledNetwork } from '../../onnx/pooled';
import type { SessionTensor } from '../../ort/session';
import { concatenate } from '../../util/concatenate';
import type { GraphTensor, ValueRunner } from '../graphRunner';

/** Statistics and embedding of one map by our own kernels, with every frame of the map used. */
export type PoolMap = (map: { readonly data: Float32Array; readonly numFrames: number }) => Promise<{
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
      return await pooling.pool({ buffer, numFrames }, [new Float32Array(numFrames).fill(1)]);
    } finally {
      buffer.destroy();
    }
  };
}

/**
 * Runs a network that pools statistics as a diarizer does: the runtime computes the map, our own kernels its statistics and the
 * embedding. These two come from one call, so golden statistics are not injected between them.
 */
export class PooledRunner implements ValueRunner {
  constructor(
    /** Runs the graph up to the map. */
    private readonly graph: ValueRunner,
    private readonly network: Pick<PooledNetwork, 'map' | 'statistics' | 'embedding'>,
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
    const statistics: Float32Array[] = [];
    const embeddings: Float32Array[] = [];
    for (let item = 0; item < numItems; item++) {
      const pooled = await this.pool({ data: data.slice(item * size, (item + 1) * size), numFrames: shape.at(-1)! });
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
