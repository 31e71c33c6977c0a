/** The public surface of Voxlane. What is not exported here may change in any release. */
export type { Anchors } from './clustering/anchors';
export { Diarizer } from './pipeline/diarizer';
export type { KeptModel, KeptVoices } from './pipeline/keptVoices';
export { deleteStoredModel, presetFacts, storedModels } from './pipeline/presets';
export type { PresetFacts, StoredModelFacts } from './pipeline/presets';
export { Reclusterer } from './pipeline/reclusterer';
export type { ReclustererOptions, Reclustering, ReclusterOptions } from './pipeline/reclusterer';
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
  ModelDownload,
  ModelProof,
  PresetId,
  Preview,
  Progress,
  SimulatedFault,
  Speaker,
  Speed,
  StageEvent,
  StageHook,
  StageName,
  StageProof,
  Turn,
  UsedModel,
} from './pipeline/types';
export { voiceSimilarity } from './pipeline/voices';
export { VoxlaneError } from './util/errors';
export type { ErrorCode, ErrorParts } from './util/errors';
