/**
 * `voxlane/formats`: who spoke when as files of other programs, and their files as turns; transcripts with speakers. Text
 * in, text out: no model, no worker, no page, so that it runs in Node too.
 */
export type { ConfidenceKind } from '../clustering/confidence';
export type { Annotation, AnnotationSpeaker, EditableTurn } from '../editing/annotation';
export { annotationOf } from '../editing/annotationOf';
export type { SpeakerSource, TurnSource } from '../editing/annotationOf';
export { annotationToJson } from '../formats/annotationJson';
export { readAnyTurns } from '../formats/anyTurns';
export type { ImportedRecording } from '../formats/anyTurns';
export { toAudacityLabels } from '../formats/audacity';
export { toCsv } from '../formats/csv';
export { toEaf } from '../formats/eaf';
export type { EafFacts } from '../formats/eaf';
export { toJson } from '../formats/json';
export type { JsonSource } from '../formats/json';
export { parseRttm, toRttm } from '../formats/rttm';
export { runManifest } from '../formats/runManifest';
export type { RunFacts, RunManifest, RunResult, SelfCheckVerdict } from '../formats/runManifest';
export { toSrt } from '../formats/srt';
export { toTextGrid } from '../formats/textGrid';
export { parseUem } from '../formats/uem';
export type { UemRegion } from '../formats/uem';
export { toWebVtt } from '../formats/webVtt';
export type { MinDurations } from '../timeline/minDurations';
export type { Turn } from '../timeline/turn';
export { assignSpeakers } from '../transcript/assignSpeakers';
export { readTranscript } from '../transcript/readTranscript';
export { withNames } from '../transcript/spoken';
export type { SpokenCue, SpokenTranscript, SpokenWord } from '../transcript/spoken';
export { toTranscriptCsv, toTranscriptJson, toTranscriptSrt, toTranscriptVtt } from '../transcript/spokenFormats';
export type { Transcript, TranscriptCue, TranscriptWord } from '../transcript/transcript';
export { decodeText } from '../util/decodeText';
export type { DecodedText, TextEncoding } from '../util/decodeText';
export { VoxlaneError } from '../util/errors';
export type { ErrorCode, ErrorParts } from '../util/errors';
