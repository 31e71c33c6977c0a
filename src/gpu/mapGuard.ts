import { storageBuffer } from './buffers';
import markCode from './markBroken.wgsl?raw';
import { type Kernel, openKernel, type Program } from './program';
import surveyCode from './surveyMap.wgsl?raw';

/** Rows for each workgroup of a survey, and the maximum number of workgroups for the rows of an item. */
const ROWS_PER_PART = 128;
const MAX_PARTS = 32;
/** Workgroups that mark a result, 64 values each at a time. */
const MAX_MARKERS = 256;
const MARKER_VALUES = 64;
/** Place of the first word of an item and group. The words before are the result and padding. */
const FIRST_WORD = 4;

/** Rows of all items of a map: the same number for each, one after the other, or those of a table. */
export type ItemRows<Integers> =
  | { readonly perItem: number }
  | {
    /** Axes (item, [first row, number of rows]). */
    readonly items: Integers;
    /** Factor of both numbers. Default: 1. */
    readonly scale?: number;
    /** Maximum number of rows of an item, after scaling. */
    readonly most: number;
  };

/** A map to check, as an array on the CPU or a GPU buffer on the GPU. */
export interface SurveyStep<Floats, Integers> {
  /** Axes (row, channel). */
  readonly map: Floats;
  readonly rows: ItemRows<Integers>;
  readonly numItems: number;
  /** Values from one row to the next. Default: the number of channels. */
  readonly rowStride?: number;
  readonly numChannels: number;
  /** Channels of the first group. Default: all. */
  readonly firstChannels?: number;
  /** Channels of each further group. */
  readonly groupChannels?: number;
  /** Whether a right result can be all zero. Default: no. */
  readonly allowZeros?: boolean;
}

/** Number of groups of channels of a map. */
export function numGroupsOf({ numChannels, firstChannels = numChannels, groupChannels = 0 }: Pick<SurveyStep<never, never>, 'numChannels' | 'firstChannels' | 'groupChannels'>): number {
  return numChannels > firstChannels ? 1 + (numChannels - firstChannels) / groupChannels : 1;
}

/**
 * Looks for broken values on the CPU: the reference for the kernel.
 *
 * @returns whether a value is not finite, or all values of an item and a group of channels are zero
 */
export function surveyMap(step: SurveyStep<Float32Array, Uint32Array>): boolean {
  const { map, rows, numItems, numChannels, rowStride = numChannels, firstChannels = numChannels, groupChannels = 0, allowZeros = false } = step;
  for (let item = 0; item < numItems; item++) {
    const [first, numRows] = 'perItem' in rows
      ? [item * rows.perItem, rows.perItem]
      : [0, 1].map((part) => rows.items[2 * item + part]! * (rows.scale ?? 1)) as [number, number];
    for (let group = 0; group < numGroupsOf(step); group++) {
      const begin = group === 0 ? 0 : firstChannels + (group - 1) * groupChannels;
      const width = group === 0 ? firstChannels : groupChannels;
      const own = Array.from({ length: numRows * width }, (_, i) => map[(first + Math.floor(i / width)) * rowStride + begin + (i % width)]!);
      if (!own.every(Number.isFinite) || (!allowZeros && own.every((value) => value === 0))) return true;
    }
  }
  return false;
}

/**
 * Marks a result on the CPU: the reference for the kernel.
 *
 * @param isBroken whether any map of the batch is broken
 * @param values any axes, float32; if broken, all become NaN
 */
export function markBroken(isBroken: boolean, values: Float32Array): void {
  if (isBroken) values.fill(NaN);
}

/**
 * Detects broken maps between the layers of a network, such as those of a driver that computes zeros for one window of a
 * batch. Later layers can turn these into plausible results, so each listed map is checked on the GPU, and the
 * result is filled with NaN if one is broken. The CPU detects NaN in the result that it reads anyway.
 */
export class MapGuard {
  /** Axes: [result, padding, (map, item, group)]. */
  private flags: GPUBuffer | null = null;
  private capacity = 0;
  private nextWord = FIRST_WORD;

  private constructor(
    private readonly device: GPUDevice,
    private readonly survey: Kernel,
    private readonly mark: Kernel,
  ) {}

  /** @throws VoxlaneError `backend-failed` if a kernel does not compile */
  static async open(device: GPUDevice): Promise<MapGuard> {
    const read = 'read-only-storage';
    const [survey, mark] = await Promise.all([
      openKernel(device, { label: 'surveyMap', code: surveyCode, buffers: [read, read, 'storage'] }),
      openKernel(device, { label: 'markBroken', code: markCode, buffers: [read, 'storage'] }),
    ]);
    return new MapGuard(device, survey, mark);
  }

  /**
   * Allocates the words of batches.
   *
   * @param numWords maximum number of items times the groups of all maps
   */
  layOut(numWords: number): void {
    this.free();
    this.capacity = FIRST_WORD + numWords;
    this.flags = storageBuffer(this.device, 'map flags', this.capacity);
  }

  /** Starts the list of a batch. */
  clear(): void {
    this.nextWord = FIRST_WORD;
  }

  /** Adds the check of a map to a program, after the dispatch that completes the map. */
  add(program: Program, step: SurveyStep<GPUBuffer, GPUBuffer>): void {
    const { map, rows, numItems, numChannels, rowStride = numChannels, firstChannels = numChannels, groupChannels = 0, allowZeros = false } = step;
    const isUniform = 'perItem' in rows;
    const most = isUniform ? rows.perItem : rows.most;
    const numGroups = numGroupsOf(step);
    const firstWord = this.nextWord;
    this.nextWord += numItems * numGroups;
    if (this.nextWord > this.capacity) throw new RangeError(`the guard has ${this.capacity} words for ${this.nextWord}`);
    const parameters = [
      ...(isUniform ? [rows.perItem, 0] : [0, rows.scale ?? 1]),
      ...[rowStride, firstChannels, groupChannels, firstWord, Number(allowZeros)],
    ];
    const numParts = Math.min(MAX_PARTS, Math.ceil(most / ROWS_PER_PART));
    program.add(this.survey, [map, isUniform ? map : rows.items, this.flags!], parameters, [numParts, numGroups, numItems]);
  }

  /** Adds the marking of the result to a program, after all checks. */
  addMark(program: Program, values: GPUBuffer, numValues: number): void {
    program.add(this.mark, [this.flags!, values], [numValues], [Math.min(MAX_MARKERS, Math.ceil(numValues / MARKER_VALUES))]);
  }

  /** Forgets the results of earlier batches. Call it before the program is encoded. */
  reset(encoder: GPUCommandEncoder): void {
    encoder.clearBuffer(this.flags!, 0, 4 * this.nextWord);
  }

  /** Frees the GPU memory. */
  free(): void {
    this.flags?.destroy();
    this.flags = null;
  }
}
