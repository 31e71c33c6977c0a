/** Counts that all threads of the process add to. */
import { type GpuStage, GPU_STAGES } from './stages';

/** Name of the shared memory among the data that new threads receive. */
export const METER_KEY = 'voxlane GPU meter';

/** What is counted per stage. */
export const COUNTED = ['batches', 'dispatches', 'submits', 'bytesUp', 'bytesBack'] as const;
type Counted = (typeof COUNTED)[number];

/** GPU work of a stage. A batch is one call of its worker. */
export type StageCounts = Readonly<Record<Counted, number>>;

/** Shared memory, and the address of the package `webgpu`. */
export interface MeterData {
  /** Axes (stage, counted), 64-bit integers. */
  readonly counts: SharedArrayBuffer;
  readonly dawn: string;
}

export const newCounts = (): SharedArrayBuffer =>
  new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT * GPU_STAGES.length * COUNTED.length);

/** Adds to the counts of a stage. */
export function addCounts(counts: SharedArrayBuffer, stage: GpuStage, added: Partial<StageCounts>): void {
  const values = new BigInt64Array(counts);
  for (const [place, name] of COUNTED.entries()) {
    Atomics.add(values, GPU_STAGES.indexOf(stage) * COUNTED.length + place, BigInt(added[name] ?? 0));
  }
}

/** Returns all counts since the last call. */
export function takeCounts(counts: SharedArrayBuffer): Record<GpuStage, StageCounts> {
  const values = new BigInt64Array(counts);
  const take = (stage: number, place: number): number => Number(Atomics.exchange(values, stage * COUNTED.length + place, 0n));
  return Object.fromEntries(
    GPU_STAGES.map((name, stage) => [name, Object.fromEntries(COUNTED.map((counted, place) => [counted, take(stage, place)]))]),
  ) as Record<GpuStage, StageCounts>;
}
