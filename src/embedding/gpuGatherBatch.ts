import { type Kernel, openKernel, type Program } from '../gpu/program';
import code from './gatherBatch.wgsl?raw';
import { PADDING_COLUMNS } from './imageLayout';

/** Mel bins per workgroup, as in the kernel. */
const COLUMNS = 16;
/** 32-bit values per job, as in the kernel. */
export const JOB_VALUES = 5;

/** The frames of one speaker, and where they go. */
export interface GatherPlace {
  readonly window: number;
  /** Frames of the window to take, in ascending order. */
  readonly used: Uint32Array;
  /** Output row of the first of them. */
  readonly firstFrame: number;
  /** Output rows up to this one are cleared. */
  readonly clearEnd: number;
}

/**
 * Fills the kernel's bindings 2 and 3.
 *
 * @param jobs written: axes (job, value)
 * @param used written: axes (row of all jobs)
 */
export function packJobs(places: readonly GatherPlace[], jobs: Uint32Array, used: Uint32Array): void {
  let firstUsed = 0;
  for (const [index, place] of places.entries()) {
    jobs.set([place.window, firstUsed, place.used.length, place.firstFrame, place.clearEnd], index * JOB_VALUES);
    used.set(place.used, firstUsed);
    firstUsed += place.used.length;
  }
}

/** Features of windows, with arrays on the CPU or GPU buffers on the GPU. */
interface Source<Floats> {
  /** Axes (window, frame, mel). */
  readonly features: Floats;
  /** Of each window. */
  readonly numFrames: number;
  readonly numMelBins: number;
  readonly subtractMean: boolean;
  /** Written: axes (frame, mel + padding). */
  readonly out: Floats;
  /** Columns of zeros around the mel bins. Default: {@link PADDING_COLUMNS}. */
  readonly paddingColumns?: 0 | typeof PADDING_COLUMNS;
}

/** Gathers on the CPU: the reference for the kernel. */
export function gatherBatch(
  { features, numFrames, numMelBins, subtractMean, out, paddingColumns = PADDING_COLUMNS }: Source<Float32Array>,
  places: readonly GatherPlace[],
): void {
  const width = numMelBins + paddingColumns;
  for (const { window, used, firstFrame, clearEnd } of places) {
    for (let mel = 0; mel < numMelBins; mel++) {
      const own = Array.from(used, (frame) => features[(window * numFrames + frame) * numMelBins + mel]!);
      const mean = subtractMean ? own.reduce((sum, value) => sum + value, 0) / own.length : 0;
      for (let row = 0; row < clearEnd - firstFrame; row++) {
        out[(firstFrame + row) * width + paddingColumns / 2 + mel] = row < own.length ? own[row]! - mean : 0;
      }
    }
  }
}

/** The kernel. */
export class GpuGatherBatch {
  private constructor(private readonly kernel: Kernel) {}

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice): Promise<GpuGatherBatch> {
    const read = 'read-only-storage';
    return new GpuGatherBatch(await openKernel(device, { label: 'gatherBatch', code, buffers: [read, read, read, 'storage'] }));
  }

  /** Adds the gathering of `numJobs` jobs to a program. */
  add(
    program: Program,
    { features, numFrames, numMelBins, subtractMean, out, paddingColumns = PADDING_COLUMNS }: Source<GPUBuffer>,
    { jobs, used, numJobs }: { readonly jobs: GPUBuffer; readonly used: GPUBuffer; readonly numJobs: number },
  ): void {
    const parameters = [numFrames, numMelBins, Number(subtractMean), paddingColumns / 2];
    program.add(this.kernel, [features, jobs, used, out], parameters, [Math.ceil(numMelBins / COLUMNS), numJobs], true);
  }
}
