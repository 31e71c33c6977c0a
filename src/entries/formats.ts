/**
 * `voxlane/formats`: reads and writes turns in the file formats of other programs, and adds speakers to transcripts. It
 * uses no models, workers or DOM, so it also runs in Node.
 */
export type { Annotation, AnnotationSpeaker, EditableTurn } from '../editing/annotation';
export { annotationOf } from '../editing/annotationOf';
export type { SpeakerSource, TurnSource } from '../editing/annotationOf';
export { annotationToJson } from '../formats/annotationJson';
export { readAnyTurns } from '../formats/anyTurns';
export type { ImportedRecording } from '../formats/anyTurns';
export { toAudacityLabels } from '../formats/textExports';
export { toCsv } from '../formats/textExports';
export { toEaf } from '../formats/tiers';
export type { EafOptions } from '../formats/tiers';
export { toJson } from '../formats/json';
export type { JsonSource } from '../formats/json';
export { parseRttm, toRttm } from '../formats/rttm';
export { runManifest } from '../formats/json';
export type { RunInfo, RunManifest, RunResult, SelfCheckVerdict } from '../formats/json';
export { toSrt } from '../formats/textExports';
export { toTextGrid } from '../formats/tiers';
export { parseUem } from '../formats/uem';
export type { UemRegion } from '../formats/uem';
export { toWebVtt } from '../formats/textExports';
export type { MinDurations } from '../timeline/minDurations';
export type { Turn } from '../timeline/turns';
export { assignSpeakers } from '../transcript/spokenTranscript';
export { readTranscript } from '../transcript/readTranscript';
export { withNames } from '../transcript/spokenTranscript';
export type { SpokenCue, SpokenTranscript, SpokenWord } from '../transcript/spokenTranscript';
export { toTranscriptCsv, toTranscriptJson, toTranscriptSrt, toTranscriptVtt } from '../transcript/spokenTranscript';
export type { Transcript, TranscriptCue, TranscriptWord } from '../transcript/transcript';
export { decodeText } from '../util/decodeText';
export type { DecodedText, TextEncoding } from '../util/decodeText';
export { VoxlaneError } from '../util/errors';
export type { ErrorCode, ErrorParts } from '../util/errors';
export type { ConfidenceKind } from '../clustering/localSpeakers';
