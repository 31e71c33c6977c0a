import type { Turn } from '../../src/index';

/** One recording diarized once. */
export interface SystemRun {
  /** Of the work alone: everything is loaded before. */
  readonly wallSeconds: number;
  readonly durationSeconds: number;
  readonly turns: readonly Turn[];
  /** Of WASM; null on a GPU. */
  readonly threads: number | null;
}

export const SYSTEMS = ['voxlane', 'sherpa-onnx'] as const;
export type SystemName = (typeof SYSTEMS)[number];

export const BACKENDS = ['wasm', 'webgpu'] as const;
export type Backend = (typeof BACKENDS)[number];

/** A diarizer that is loaded and can be timed. */
export interface MeasuredSystem {
  readonly system: SystemName;
  readonly backend: Backend;
  /** Null where there is no choice. */
  readonly preset: string | null;
  /** @param durationSeconds only so much of the file; null for all of it */
  run(file: string, durationSeconds: number | null): Promise<SystemRun>;
  close(): Promise<void>;
}
