/**
 * `voxlane/score`: how good a diarization is, in the meaning of pyannote.metrics. Turns in, numbers out: no model, no
 * worker, no page, so that it runs in Node too. `voxlane/formats` reads RTTM and UEM files.
 */
export { diarizationErrorRate, errorRate, sumComponents } from '../score/der';
export type { Components, Score } from '../score/der';
export { errorsOf } from '../score/der';
export type { ErrorKind, ErrorSegment } from '../score/der';
export type { Segment } from '../score/segments';
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
