import type { RecordingNote } from './notes';

/** In Hz. Speech needs more; a lower rate is a broken header. */
export const MIN_SAMPLE_RATE = 1000;
export const MAX_SAMPLE_RATE = 768_000;
/** No file has more audio tracks. */
export const MAX_TRACKS = 1000;

/** One audio track of a file. */
export interface AudioTrack {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** mediabunny's codec name, or the container's if mediabunny does not support the codec. */
  readonly codec: string;
  /** According to the container, in Hz. */
  readonly sampleRate: number;
  /** According to the container. */
  readonly channels: number;
  /** ISO 639-2 code; null if the file declares none. */
  readonly language: string | null;
  /** Title of the track; null if the file declares none. */
  readonly name: string | null;
  /** Whether this track is read. */
  readonly isRead: boolean;
}

/** Facts about a recording before decoding. */
export interface AudioInfo {
  /** Length of the selected segment; an estimate if the container declares no exact length (WebM, joined files). */
  readonly durationSeconds: number;
  /** Of the source, in Hz. */
  readonly sampleRate: number;
  /** Of the source. */
  readonly channels: number;
  /** mediabunny's codec name, or `pcm`. */
  readonly codec: string;
  /** mediabunny's container name, `WAVE`, or `samples`. */
  readonly container: string;
  /** The file's audio tracks; empty for WAV and samples. */
  readonly tracks: readonly AudioTrack[];
}

/** The segment to decode, and the sample rate. */
export interface DecodeOptions {
  /** Target sample rate, in Hz. */
  readonly sampleRate: number;
  /** Start of the segment, rounded to the nearest output sample. Default 0. */
  readonly startSeconds?: number;
  /**
   * Length of the segment, rounded to the nearest output sample. Default: to the end. A longer segment ends with the
   * recording.
   */
  readonly durationSeconds?: number;
  /** Number of the audio track, from 1. Default: the container's default track, or the first. */
  readonly track?: number;
}

/** A file: its bytes or, in Node, its path. */
export type AudioFile =
  | { readonly kind: 'file'; readonly blob: Blob }
  | { readonly kind: 'path'; readonly path: string };

/** A file that another decoder has decoded. */
export interface DecodedFile {
  /** Planar channels, or the path of a WAV file, with the notes of the decoder. */
  readonly source:
    | { readonly kind: 'channels'; readonly channels: Float32Array[]; readonly sampleRate: number; readonly notes: readonly RecordingNote[] }
    | { readonly kind: 'path'; readonly path: string; readonly notes: readonly RecordingNote[] };
  /** Deletes what the decoder has stored. */
  readonly release: () => void;
}

/**
 * Where a file can be decoded:
 *
 * - `here`: in this thread
 * - `page`: perhaps on the page, because this thread has no decoder for the codec
 * - `unknown`: perhaps on the page, because no demuxer here recognizes the file
 */
export type DecoderPlace = 'here' | 'page' | 'unknown';

/** A recording that is ready to be decoded. */
export interface OpenAudio {
  readonly facts: AudioInfo;
  /** What was repaired, skipped or left out; complete after all pieces were read. */
  notes(): readonly RecordingNote[];
  /**
   * The segment as mono samples, axes (sample), at the target rate, in pieces of any length above 0. Samples of
   * integer formats are in [-1, 1). Samples of float formats and lossy codecs are not clipped, as in pyannote.audio.
   * A late start and gaps are filled with silence.
   *
   * May be called once.
   *
   * @throws VoxlaneError `audio-decode`, `audio-not-finite`, `audio-no-samples`, `audio-truncated`, `disposed`
   */
  pieces(): AsyncGenerator<Float32Array, void, undefined>;
  /** Frees the decoder. A running stream of pieces ends or throws. */
  close(): void;
}
