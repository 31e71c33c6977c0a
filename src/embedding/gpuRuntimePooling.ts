import type { GpuContext } from '../gpu/context';
import { HealthGuard } from '../gpu/health';
import { Program } from '../gpu/program';
import type { PooledNetwork } from '../onnx/pooled';
import type { Graph } from '../ort/graph';
import type { EmbeddingManifest } from '../store/manifest';
import { type GpuPooledNetwork, masksOf, type OnResult, type PooledBatch, type PoolFeatures } from './gpuPooledNetwork';
import { GpuStatsPool, mapsByChannel, POOLING_DISPATCHES, type WindowMask } from './gpuStatsPool';
import { GpuWholeWindows } from './gpuWholeWindows';
import { MAX_MAP_BYTES } from './imageLayout';
import type { PoolJob } from './pooledBackend';
import { unfitMap } from './statsPool';

/** Dispatches of the gathering, which come before the pooling. */
const GATHER_DISPATCHES = 1;

/** ONNX Runtime computes the maps of a batch of windows. Our own kernels gather its input, and pool the maps. */
export class GpuRuntimePooling implements GpuPooledNetwork {
  private readonly program: Program;
  /** Sizes for which memory is allocated. */
  private room = { numWindows: 0, numFrames: 0 };

  private constructor(
    private readonly gpu: GpuContext,
    private readonly graph: Graph,
    private readonly manifest: EmbeddingManifest,
    private readonly numChannels: number,
    private readonly mapChannels: number | null,
    private readonly windows: GpuWholeWindows,
    private readonly statistics: GpuStatsPool,
    private readonly health: HealthGuard,
  ) {
    this.program = new Program(gpu.device, 'embedding', GATHER_DISPATCHES + POOLING_DISPATCHES);
  }

  /**
   * @param graph the backbone
   * @param mapChannels channels of its largest map, which has the frames and mel bins of the input; null if unknown: windows are computed
   *   one by one
   * @throws VoxlaneError `backend-failed` if a kernel does not compile
   */
  static async open(
    gpu: GpuContext,
    graph: Graph,
    { head }: Pick<PooledNetwork, 'head'>,
    manifest: EmbeddingManifest,
    mapChannels: number | null,
  ): Promise<GpuRuntimePooling> {
    const { device } = gpu;
    const [windows, statistics] = await Promise.all([GpuWholeWindows.open(device, false), GpuStatsPool.create(device, head)]);
    return new GpuRuntimePooling(gpu, graph, manifest, head.numChannels, mapChannels, windows, statistics, new HealthGuard(device));
  }

  maxWindows(numFrames: number): number {
    if (this.mapChannels === null) return 1;
    // The runtime needs two maps at a time.
    const bytes = 2 * 4 * this.mapChannels * this.manifest.fbank.numMelBins * numFrames;
    return Math.max(1, Math.floor(MAX_MAP_BYTES / bytes));
  }

  async embed(features: PoolFeatures, jobs: readonly PoolJob[], beforeReadback: OnResult): Promise<PooledBatch> {
    try {
      return await this.gpu.guard(() => this.run(features, jobs, beforeReadback));
    } catch (error) {
      // A buffer whose allocation failed looks like any other, but every later use of it would fail.
      this.program.forgetBuffers();
      this.windows.free();
      this.statistics.free();
      this.room = { numWindows: 0, numFrames: 0 };
      throw error;
    }
  }

  async release(): Promise<void> {
    this.program.destroy();
    this.windows.free();
    this.statistics.destroy();
    this.health.destroy();
    await this.graph.release();
  }

  private async run(features: PoolFeatures, jobs: readonly PoolJob[], beforeReadback: OnResult): Promise<PooledBatch> {
    const { program, gpu: { device }, numChannels } = this;
    const { numFrames, numMelBins, numWindows, numSpeakers } = features;
    const forget = (): void => { program.forgetBuffers(); };
    const reserved = Math.max(jobs.length, Math.min(numWindows, this.maxWindows(numFrames)));
    if (this.room.numFrames !== numFrames || this.room.numWindows < jobs.length) {
      forget();
      this.room = { numWindows: reserved, numFrames };
      this.windows.layOut(reserved, numFrames, numMelBins);
    }
    const numMasks = jobs.reduce((sum, { masks }) => sum + masks.length, 0);
    program.clear();
    this.windows.add(program, features, jobs.map(({ window }) => window), this.manifest.fbank.subtractMean);
    program.upload();
    const encoder = device.createCommandEncoder({ label: 'embedding' });
    program.encode(encoder);
    device.queue.submit([encoder.finish()]);

    // Any map has at most the frames of its input.
    const room = this.statistics.roomFor(Math.max(numMasks, reserved * numSpeakers), numFrames, forget);
    const shape = [numMasks, this.manifest.embeddingSize];
    const bytes = 4 * numMasks * this.manifest.embeddingSize;
    let masks: WindowMask[] = [];
    const { data } = await this.graph.run(
      { buffer: this.windows.input, shape: [jobs.length, numFrames, numMelBins] },
      (commands, map, mapBytes) => {
        const mapFrames = mapBytes / 4 / numChannels / jobs.length;
        if (!Number.isInteger(mapFrames)) throw unfitMap(numChannels, 'another number');
        masks = masksOf(jobs, mapFrames);
        this.statistics.add(program, mapsByChannel(map, mapFrames, numChannels), masks, room, true);
        program.upload();
        program.encode(commands, GATHER_DISPATCHES);
        beforeReadback(commands, room.embeddings, bytes);
        // Statistics of a broken map can look plausible: with zeros, every speaker would get the bias of the last
        // layer.
        this.health.look(commands, map, mapBytes, jobs.length);
        this.health.mark(commands, room.embeddings, bytes);
      },
      { buffer: room.embeddings, shape },
    );
    return { embeddings: data, masks };
  }
}
