/** Defines `<voxlane-diarizer>`. The only entry with a side effect on import. */
import { defineElement } from '../widget/define';

export { VoxlaneDiarizerElement } from '../widget/element';
export type { SpeakerRename, VoxlaneDiarizerEventMap } from '../widget/reflectingElement';
export { ElementBase, ReflectingElement } from '../widget/reflectingElement';
export { PlayingElement } from '../widget/playingElement';
export type { ResultToShow, ShownResult, ShownSpeaker, TurnsToShow } from '../widget/givenResult';
export type { WidgetTheme } from '../widget/settings';
export type { DiarizationSource } from '../engine/run';
export type {
  BackendChoice,
  BackendReport,
  ClusteringName,
  CountScore,
  DiarizationResult,
  DiarizerOptions,
  AudioTrack,
  RecordingNote,
  RecordingNoteCode,
  ModelDownload,
  ModelCheck,
  PresetId,
  Progress,
  Speaker,
  Speed,
  StageCheck,
  Turn,
  UsedModel,
} from '../engine/types';
export type { SlidingWindow, TimeGeometry } from '../segmentation/geometry';
export type { EvidenceSettings, IdentitySettings } from '../clustering/settings';
export type { ClusteringSettings } from '../engine/settings';
export type { StreamMode } from '../store/streamModes';
export type { Dendrogram } from '../clustering/dendrogram';
export { VoxlaneError } from '../util/errors';
export type { ErrorCode, ErrorParts } from '../util/errors';

defineElement();
export type { MinDurations } from '../timeline/minDurations';
export type { KeptModel } from '../engine/types';
export type { KeptVoices } from '../engine/types';
export type { StageName } from '../engine/stages';
export { STAGES } from '../engine/stages';
export type { SpeakerCount } from '../engine/speakerCount';
