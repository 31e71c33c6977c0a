/** One audio track of a file. */
export interface AudioTrack {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** mediabunny's name of the codec, or the container's if mediabunny does not support it. */
  readonly codec: string;
  /** According to the container, in Hz. */
  readonly sampleRate: number;
  /** According to the container. */
  readonly channels: number;
  /** ISO 639-2 code; null if the file gives none. */
  readonly language: string | null;
  /** Title of the track; null if the file gives none. */
  readonly name: string | null;
  /** Whether this track is read. */
  readonly isRead: boolean;
}
