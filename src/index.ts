/** The public surface of Voxlane. What is not exported here may change in any release. */
export type { Anchors, AnchorStretch } from './clustering/anchors';
export type { ConfidenceKind } from './clustering/confidence';
export type { Dendrogram } from './clustering/dendrogram';
export { diarize } from './pipeline/diarize';
export { Diarizer } from './pipeline/diarizer';
export { DISPOSE } from './pipeline/disposeKey';
export type { KeptModel, KeptVoices } from './pipeline/keptVoices';
export { deleteStoredModel, presetFacts, storedModels } from './pipeline/presets';
export type { PresetFacts, StoredModelFacts } from './pipeline/presets';
export { Reclusterer } from './pipeline/reclusterer';
export type { ReclustererOptions, Reclustering, ReclusterOptions } from './pipeline/reclusterer';
export type { DiarizationSource } from './pipeline/run';
export { embed, fbank, segment } from './pipeline/singleStages';
export { cluster } from './pipeline/singleStagesCluster';
export { releaseStages } from './pipeline/singleStagesEngine';
export type {
  ClusterOptions,
  FbankFeatures,
  FbankStageOptions,
  Segmentation,
  StageOptions,
  StageTensor,
  VoiceClusters,
  VoiceEmbeddings,
} from './pipeline/singleStagesTypes';
export type { EvidenceSettings } from './clustering/evidenceSettings';
export type { ClusteringSettings } from './pipeline/settings';
export { STAGES } from './pipeline/stages';
export type { Artifact } from './pipeline/stages';
export type {
  BackendChoice,
  BackendReport,
  ClusteringName,
  CountScore,
  DiarizationResult,
  DiarizeOptions,
  DiarizerOptions,
  AudioTrack,
  RecordingNote,
  RecordingNoteCode,
  GpuCounts,
  GpuCountsByStage,
  ModelDownload,
  ModelProof,
  PresetId,
  Preview,
  Progress,
  Speaker,
  SpeakerCount,
  Speed,
  StageEvent,
  StageHook,
  StageName,
  StageProof,
  Turn,
  UsedModel,
} from './pipeline/types';
export { forgetGpuChecks } from './pipeline/verdicts';
export { voiceSimilarity } from './pipeline/voices';
export type { Components, Score } from './score/der';
export type { ErrorKind, ErrorStretch } from './score/errors';
export type { Interval } from './score/intervals';
export type { SpeakerJaccard } from './score/jer';
export { score } from './score/score';
export type { Scores } from './score/score';
export type { ScoreOptions } from './score/scored';
export type { SlidingWindow, TimeGeometry } from './timeline/geometry';
export type { MinDurations } from './timeline/minDurations';
export { VoxlaneError } from './util/errors';
export type { ErrorCode, ErrorParts } from './util/errors';
