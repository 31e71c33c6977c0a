import type { Turn } from '../../src/index';

/** One recording diarized once. */
export interface SystemRun {
  /** Excludes loading. */
  readonly wallSeconds: number;
  readonly durationSeconds: number;
  readonly turns: readonly Turn[];
  /** Number of WASM threads; null on a GPU. */
  readonly threads: number | null;
}

export const SYSTEMS = ['voxlane', 'sherpa-onnx'] as const;
export type SystemName = (typeof SYSTEMS)[number];

export const BACKENDS = ['wasm', 'webgpu'] as const;
export type Backend = (typeof BACKENDS)[number];

/** A loaded diarizer that can be timed. */
export interface MeasuredSystem {
  readonly system: SystemName;
  readonly backend: Backend;
  /** Null if there are no presets. */
  readonly preset: string | null;
  /** @param durationSeconds length of the processed part from the start; null for the whole file */
  run(file: string, durationSeconds: number | null): Promise<SystemRun>;
  close(): Promise<void>;
}
