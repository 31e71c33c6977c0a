/** The public API of Voxlane. Anything not exported here may change in any release. */
export type { LinkConstraints } from './clustering/constraints';
export type { Dendrogram } from './clustering/dendrogram';
export { diarize } from './engine/sharedDiarizer';
export { Diarizer } from './engine/diarizer';
export { deleteStoredModel, presetInfo, storedModels } from './engine/presets';
export type { PresetInfo, StoredModelInfo } from './engine/presets';
export { Reclusterer } from './engine/reclusterer';
export type { ReclustererOptions, Reclustering, ReclusterOptions } from './engine/reclusterer';
export type { DiarizationSource } from './engine/run';
export { embed, fbank, segment } from './engine/singleStages';
export { cluster } from './engine/singleStages';
export { releaseStages } from './engine/singleStagesEngine';
export type {
  ClusterOptions,
  FbankFeatures,
  FbankStageOptions,
  Segmentation,
  StageOptions,
  StageTensor,
  VoiceClusters,
  VoiceEmbeddings,
} from './engine/singleStagesEngine';
export type { EvidenceSettings, IdentitySettings } from './clustering/settings';
export type { ClusteringSettings } from './engine/settings';
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
  ModelDownload,
  ModelCheck,
  PresetId,
  Preview,
  Progress,
  Speaker,
  Speed,
  StageCheck,
  Turn,
  UsedModel,
} from './engine/types';
export { forgetGpuChecks } from './engine/verdicts';
export { voiceSimilarity } from './engine/assembly';
export type { Components, Score } from './score/der';
export type { ErrorKind, ErrorSegment } from './score/der';
export type { Segment } from './util/segment';
export type { SpeakerJaccard } from './score/jer';
export { score } from './score/score';
export type { Scores } from './score/score';
export type { ScoreOptions } from './score/segments';
export type { SlidingWindow, TimeGeometry } from './segmentation/geometry';
export type { StreamMode } from './store/streamModes';
export type { MinDurations } from './timeline/minDurations';
export { VoxlaneError } from './util/errors';
export type { ErrorCode, ErrorParts } from './util/errors';
export type { KeptModel } from './engine/types';
export type { KeptVoices } from './engine/types';
export type { ConfidenceKind } from './clustering/localSpeakers';
export { STAGES } from './engine/stages';
export type { Artifact } from './engine/stages';
export type { StageEvent, StageHook, StageName } from './engine/stages';
export type { SpeakerCount } from './engine/speakerCount';
export { DISPOSE } from './util/abort';
