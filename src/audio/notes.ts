/** Topics of a {@link RecordingNote}. */
export type RecordingNoteCode =
  | 'joined'
  | 'bytes-skipped'
  | 'data-missing'
  | 'cut-off'
  | 'size-ignored'
  | 'several-tracks'
  | 'channels-cancel'
  | 'browser-decoder'
  | 'ffmpeg-decoder';

/** A repair, skipped data or an omission while a recording was read. */
export interface RecordingNote {
  /**
   * - `joined`: the file contains several consecutive recordings, and all were read
   * - `bytes-skipped`: bytes that are not audio were skipped
   * - `data-missing`: data is missing in the middle; it was replaced with silence
   * - `cut-off`: the end of the file is missing; the rest was read
   * - `size-ignored`: the header's size is a placeholder or too small; the audio was read to the end of the file
   * - `several-tracks`: the file has several audio tracks, and one was read
   * - `channels-cancel`: channels of opposite polarity cancel each other in a mix, so only one was read
   * - `browser-decoder`: only the browser's own decoder reads this file, and it does not report missing data
   * - `ffmpeg-decoder`: in Node, only ffmpeg reads this file, and it does not report missing data
   */
  readonly code: RecordingNoteCode;
  /** English text for users. */
  readonly text: string;
  /** Time in seconds on the recording's clock; the first if there are several. Null if the note has no time. */
  readonly atSeconds: number | null;
  /**
   * Null if it is unknown.
   *
   * - `joined`: number of recordings
   * - `bytes-skipped`: number of bytes
   * - `data-missing`: seconds
   * - `cut-off`: length in seconds that the header declares
   * - `size-ignored`: bytes that the header declares
   * - `several-tracks`: number of tracks
   */
  readonly amount: number | null;
}

const seconds = (value: number): string => `${value.toFixed(3)} s`;

/** Creates the notes, so all notes of one kind have the same form. */
export const recordingNotes = {
  joined: (count: number, atSeconds: number | null): RecordingNote => ({
    code: 'joined',
    text: `The file contains ${count} consecutive recordings. All of them were read.`,
    atSeconds,
    amount: count,
  }),
  bytesSkipped: (bytes: number, atSeconds: number, places: number): RecordingNote => ({
    code: 'bytes-skipped',
    text:
      places === 1
        ? `${bytes} bytes at ${seconds(atSeconds)} are not audio data. They were skipped.`
        : `${bytes} bytes in ${places} places, the first at ${seconds(atSeconds)}, are not audio data. They were skipped.`,
    atSeconds,
    amount: bytes,
  }),
  dataMissing: (lengthSeconds: number, atSeconds: number): RecordingNote => ({
    code: 'data-missing',
    text: `${seconds(lengthSeconds)} of audio are missing from the file at ${seconds(atSeconds)} and were replaced with silence.`,
    atSeconds,
    amount: lengthSeconds,
  }),
  /** @param promisedSeconds null if the header declares no length */
  cutOff: (heldSeconds: number, promisedSeconds: number | null): RecordingNote => ({
    code: 'cut-off',
    text:
      promisedSeconds === null
        ? `The file breaks off at ${seconds(heldSeconds)} without an end marker. The audio up to that point was read.`
        : `The file breaks off at ${seconds(heldSeconds)}, but its header specifies ${seconds(promisedSeconds)}. The audio up to that point was read.`,
    atSeconds: heldSeconds,
    amount: promisedSeconds,
  }),
  sizeIgnored: (declaredBytes: number, heldBytes: number): RecordingNote => ({
    code: 'size-ignored',
    text: `The header specifies ${declaredBytes} bytes of samples, which is a placeholder or wrong. All ${heldBytes} bytes of the file were read.`,
    atSeconds: null,
    amount: declaredBytes,
  }),
  severalTracks: (track: number, count: number): RecordingNote => ({
    code: 'several-tracks',
    text: `The file has ${count} audio tracks. Track ${track} was read. Use the track option to select another.`,
    atSeconds: null,
    amount: count,
  }),
  channelsCancel: (atSeconds: number): RecordingNote => ({
    code: 'channels-cancel',
    text: `From ${seconds(atSeconds)}, the channels cancel each other out when mixed, because one is inverted. A single channel was read instead.`,
    atSeconds,
    amount: null,
  }),
  browserDecoder: (): RecordingNote => ({
    code: 'browser-decoder',
    text: "Only the browser's own decoder can read this file. It does not report missing or damaged data.",
    atSeconds: null,
    amount: null,
  }),
  ffmpegDecoder: (): RecordingNote => ({
    code: 'ffmpeg-decoder',
    text: 'Only ffmpeg can read this file. It does not report missing or damaged data.',
    atSeconds: null,
    amount: null,
  }),
};

/** Collects notes while a recording is read. */
export class NoteLog {
  readonly #notes: RecordingNote[];

  constructor(notes: readonly RecordingNote[] = []) {
    this.#notes = [...notes];
  }

  /** Adds a note, unless there is an equal one. */
  add(note: RecordingNote): void {
    if (!this.#notes.some(({ text }) => text === note.text)) this.#notes.push(note);
  }

  /** All notes so far, in order of discovery. */
  list(): readonly RecordingNote[] {
    return [...this.#notes];
  }
}
