/**
 * `voxlane/score`: scores a diarization with the definitions of pyannote.metrics. It uses no models, workers or DOM, so
 * it also runs in Node. `voxlane/formats` reads RTTM and UEM files.
 */
export { diarizationErrorRate, errorRate, sumComponents } from '../score/der';
export type { Components, Score } from '../score/der';
export { errorsOf } from '../score/der';
export type { ErrorKind, ErrorSegment } from '../score/der';
export type { Segment } from '../util/segment';
export { jaccardErrorRate } from '../score/jer';
export type { JaccardScore, SpeakerJaccard } from '../score/jer';
export { optimalMapping } from '../score/mapping';
export { scoreRecordings } from '../score/score';
export type { ByRecording, RecordingScore, RecordingsOptions, RecordingsScore } from '../score/score';
export { score } from '../score/score';
export type { Scores } from '../score/score';
export type { ScoreOptions } from '../score/segments';
export type { Turn } from '../timeline/turns';
export { VoxlaneError } from '../util/errors';
export type { ErrorCode, ErrorParts } from '../util/errors';
