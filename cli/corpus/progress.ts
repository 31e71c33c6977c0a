/** Lines and events of a run, in audio time, with an estimate of the remaining time. */
import { messageOf } from '../../src/util/errors';

/** The end of a file. */
export interface FinishedFile {
  readonly id: string;
  readonly status: 'done' | 'silent' | 'failed';
  /** Length of the audio as planned. */
  readonly plannedSeconds: number;
  /** Length of the analyzed audio; null for a failed file. */
  readonly audioSeconds: number | null;
  readonly speakers: number | null;
  /** Wall time of the last attempt. */
  readonly seconds: number;
  readonly attempts: number;
  /** Memory of the worker after the file; null if it crashed. */
  readonly residentBytes: number | null;
  /** Error or note. */
  readonly text?: string;
  /** Error code. */
  readonly code?: string;
}

interface Totals {
  readonly files: number;
  readonly seconds: number;
}

/** At most one line about the whole run in this time. */
const LINE_MS = 30_000;

/**
 * Counts files and audio of a run.
 *
 * The estimate assumes the speed of this run so far, in seconds of audio per second. Failed files count with their planned
 * length.
 */
export class Progress {
  private startMs: number;
  private lastLineMs: number;
  private finished: Totals;

  /**
   * @param total all entries of the run
   * @param before entries that were done before
   */
  constructor(
    private readonly total: Totals,
    private readonly before: Totals,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.finished = before;
    this.startMs = now();
    this.lastLineMs = this.startMs;
  }

  /** The first engine is ready. Its start does not count. */
  begin(): void {
    this.startMs = this.now();
    this.lastLineMs = this.startMs;
  }

  /** @returns one line about the file */
  add(file: FinishedFile): string {
    this.finished = { files: this.finished.files + 1, seconds: this.finished.seconds + file.plannedSeconds };
    const text = file.text === undefined ? '' : `: ${file.text.replace(/\.$/, '')}`;
    const facts =
      file.status === 'failed'
        ? `failed${text}`
        : `${file.audioSeconds!.toFixed(1)} s, ${speakersText(file.speakers!)}, ${file.seconds.toFixed(1)} s${text}`;
    return `[${this.finished.files}/${this.total.files}] ${file.id}: ${facts}`;
  }

  /** @returns a line about the whole run, or null if the last one is recent */
  line(): string | null {
    const now = this.now();
    if (now - this.lastLineMs < LINE_MS || this.finished.files === this.total.files) return null;
    this.lastLineMs = now;
    const left = this.secondsLeft();
    const speed = this.speed();
    const pace = speed === null ? '' : `, ${speed.toFixed(1)} hours of audio per hour`;
    return `${hours(this.finished.seconds)} of ${hours(this.total.seconds)} of audio${pace}${left === null ? '' : `, about ${duration(left)} left`}`;
  }

  /** Estimated seconds until the end of the run; null before the first file. */
  secondsLeft(): number | null {
    const speed = this.speed();
    return speed === null ? null : Math.max(0, this.total.seconds - this.finished.seconds) / speed;
  }

  /** The totals after a file, for events. */
  state(): { readonly finishedFiles: number; readonly files: number; readonly finishedAudioSeconds: number; readonly totalAudioSeconds: number; readonly secondsLeft: number | null } {
    const left = this.secondsLeft();
    return {
      finishedFiles: this.finished.files,
      files: this.total.files,
      finishedAudioSeconds: tenth(this.finished.seconds),
      totalAudioSeconds: tenth(this.total.seconds),
      secondsLeft: left === null ? null : tenth(left),
    };
  }

  /** Seconds of audio per second. */
  private speed(): number | null {
    const elapsed = (this.now() - this.startMs) / 1000;
    const audio = this.finished.seconds - this.before.seconds;
    return audio > 0 && elapsed > 0 ? audio / elapsed : null;
  }
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

const speakersText = (count: number): string => `${count} ${count === 1 ? 'speaker' : 'speakers'}`;

/** Hours, or seconds for short corpora. */
export const hours = (seconds: number): string => (seconds < 360 ? `${seconds.toFixed(1)} s` : `${(seconds / 3600).toFixed(2)} h`);

/** `45 s`, `12 min` or `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const MAX_LISTED = 20;

/** The last lines of a run: totals, and the failed files. */
export function summaryLines(files: readonly FinishedFile[], before: number, total: number, wallSeconds: number, folder: string): string[] {
  const failed = files.filter(({ status }) => status === 'failed');
  const done = files.length - failed.length;
  const audio = files.reduce((sum, { audioSeconds }) => sum + (audioSeconds ?? 0), 0);
  const missing = total - before - files.length;
  const parts = [
    `${done + before} of ${total} files are done`,
    ...(before > 0 ? [`${before} of them before this run`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(missing > 0 ? [`${missing} not processed`] : []),
  ];
  return [
    `${parts.join(', ')}; ${hours(audio)} of audio in ${duration(wallSeconds)}`,
    ...failed.slice(0, MAX_LISTED).map(({ id, text }) => `failed: ${id}: ${messageOf(text)}`),
    ...(failed.length > MAX_LISTED ? [`and ${failed.length - MAX_LISTED} more; all are in ${folder}`] : []),
  ];
}
