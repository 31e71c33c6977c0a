import type { RecordingNote } from './notes';

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

  /** All notes so far, in the order of their discovery. */
  list(): readonly RecordingNote[] {
    return [...this.#notes];
  }
}
