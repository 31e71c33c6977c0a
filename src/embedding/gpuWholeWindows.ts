import { destroyAll, storageBuffer } from '../gpu/buffers';
import type { Program } from '../gpu/program';
import { GpuGatherBatch, JOB_VALUES } from './gpuGatherBatch';
import { PADDING_COLUMNS } from './imageLayout';

/** Features on the GPU. */
export interface WindowFeatures {
  /** Axes (window, frame, mel), float32; usage STORAGE. */
  readonly buffer: GPUBuffer;
  /** Of each window. */
  readonly numFrames: number;
  readonly numMelBins: number;
}

interface Room {
  readonly jobs: GPUBuffer;
  readonly used: GPUBuffer;
  readonly out: GPUBuffer;
  readonly values: Uint32Array<ArrayBuffer>;
}

/**
 * Gathers whole windows as the input of a batch, with or without padding for convolutions.
 *
 * Without padding, the axes of a batch are (window, frame, mel). With padding, each window has one row of zeros before its frames, the
 * batch has one after its last frame, and each row has a column of zeros before and after its mel bins.
 */
export class GpuWholeWindows {
  private room: Room | null = null;

  private constructor(
    private readonly device: GPUDevice,
    private readonly gather: GpuGatherBatch,
    private readonly isPadded: boolean,
  ) {}

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice, isPadded: boolean): Promise<GpuWholeWindows> {
    return new GpuWholeWindows(device, await GpuGatherBatch.open(device), isPadded);
  }

  /** The batch. Call {@link layOut} before. */
  get input(): GPUBuffer {
    return this.room!.out;
  }

  /** Allocates memory for batches of windows of one length. Padding is 0 in new memory and stays 0. */
  layOut(numWindows: number, numFrames: number, numMelBins: number): void {
    this.free();
    const frames = this.isPadded ? 1 + numWindows * (numFrames + 1) : numWindows * numFrames;
    const buffer = (name: string, length: number): GPUBuffer => storageBuffer(this.device, `embedding ${name}`, length);
    const used = buffer('frames', numFrames);
    // All windows use the same list.
    this.device.queue.writeBuffer(used, 0, Uint32Array.from({ length: numFrames }, (_, frame) => frame));
    this.room = {
      jobs: buffer('windows', numWindows * JOB_VALUES),
      used,
      out: buffer('input', frames * (numMelBins + this.paddingColumns)),
      values: new Uint32Array(numWindows * JOB_VALUES),
    };
  }

  /**
   * Uploads the list of windows, and adds one dispatch to a program.
   *
   * @param windows indices in the features
   * @param subtractMean whether the mean over the window is subtracted from each mel bin
   */
  add(program: Program, { buffer, numFrames, numMelBins }: WindowFeatures, windows: readonly number[], subtractMean: boolean): void {
    const { jobs, used, out, values } = this.room!;
    const padding = this.isPadded ? 1 : 0;
    for (const [index, window] of windows.entries()) {
      const firstFrame = padding + index * (numFrames + padding);
      values.set([window, 0, numFrames, firstFrame, firstFrame + numFrames + padding], index * JOB_VALUES);
    }
    this.device.queue.writeBuffer(jobs, 0, values, 0, windows.length * JOB_VALUES);
    const source = { features: buffer, numFrames, numMelBins, subtractMean, out, paddingColumns: this.paddingColumns };
    this.gather.add(program, source, { jobs, used, numJobs: windows.length });
  }

  free(): void {
    if (this.room) destroyAll(this.room.jobs, this.room.used, this.room.out);
    this.room = null;
  }

  private get paddingColumns(): 0 | typeof PADDING_COLUMNS {
    return this.isPadded ? PADDING_COLUMNS : 0;
  }
}
