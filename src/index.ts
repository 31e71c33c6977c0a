/** The public surface of Voxlane. What is not exported here may change in any release. */
export { Diarizer } from './pipeline/diarizer';
export type { DiarizationSource } from './pipeline/run';
export type { Artifact } from './pipeline/stages';
export type {
  BackendChoice,
  BackendReport,
  DiarizationResult,
  DiarizeOptions,
  DiarizerOptions,
  GpuCounts,
  GpuCountsByStage,
  ModelProof,
  Progress,
  SimulatedFault,
  Speaker,
  StageEvent,
  StageHook,
  StageName,
  StageProof,
  Turn,
} from './pipeline/types';
export { VoxlaneError } from './util/errors';
export type { ErrorCode, ErrorParts } from './util/errors';
