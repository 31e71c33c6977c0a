/** What `diarize` prints about each file, and its exit status. */
import type { ErrorParts } from '../src/util/errors';
import { failureText } from './errorLine';
import type { ResultFigures } from './fileEngine';
import { print, say, warn } from './output';
import type { Documents } from './resultDocuments';

/** A file that was diarized. */
export interface DoneFile {
  readonly figures: ResultFigures;
  readonly seconds: number;
  /** Result files that were written. */
  readonly outputs: readonly string[];
  /** The documents; absent if they were written to files. */
  readonly documents?: Documents;
}

/** Exit status for a job of one file that no retry will make readable. Schedulers can tell it from other failures. */
const BAD_INPUT_EXIT = 42;

/** Prints one line per file, and a summary. */
export class FileReport {
  private index = 0;
  private numDone = 0;
  private numSkipped = 0;
  private audioSeconds = 0;
  private engine = '';
  private readonly failures: { readonly label: string; readonly error: ErrorParts }[] = [];
  private readonly start = performance.now();

  /** @param total number of files @param json whether each file is also a line of JSON on standard output */
  constructor(
    private readonly total: number,
    private readonly json: boolean,
  ) {}

  /** Reports a result. @throws Error with a one-line message if standard output cannot be written */
  async done(label: string, { figures, seconds, outputs, documents }: DoneFile): Promise<void> {
    const { audioSeconds, numSpeakers, numTurns, engine, notes } = figures;
    // All files of a run have the same engine, unless it fell back to another one.
    if (engine !== this.engine) say(engine);
    this.engine = engine;
    say(`${this.next()} ${label}: ${audioSeconds.toFixed(1)} s, ${plural(numSpeakers, 'speaker')}, ${seconds.toFixed(1)} s`);
    for (const note of notes) say(`  note: ${note}`);
    await this.event('done', label, { audioSeconds, speakers: numSpeakers, turns: numTurns, seconds: Number(seconds.toFixed(3)), engine, notes, outputs, ...(documents && { documents }) });
    // A file whose line could not be printed counts as failed.
    this.numDone++;
    this.audioSeconds += audioSeconds;
  }

  /** Reports a file that has results already. */
  async skipped(label: string): Promise<void> {
    this.numSkipped++;
    say(`${this.next()} ${label}: skipped, it has results`);
    await this.event('skipped', label, {});
  }

  /** Reports a failure. */
  async failed(label: string, error: ErrorParts): Promise<void> {
    this.failures.push({ label, error });
    const place = this.next();
    warn(this.total === 1 ? `voxlane: ${label}: ${failureText(error)}` : `${place} ${label}: failed: ${failureText(error)}`);
    // Standard output may be what failed. Then standard error has the failure.
    await this.event('failed', label, { error }).catch(() => undefined);
  }

  /** Prints the summary. @returns the exit status */
  async end(): Promise<number> {
    const { failures, total } = this;
    const seconds = (performance.now() - this.start) / 1000;
    if (total > 1) {
      const line = [
        `${this.numDone} of ${plural(total, 'file')} diarized: ${this.audioSeconds.toFixed(1)} s of audio in ${seconds.toFixed(1)} s`,
        ...(this.numSkipped > 0 ? [`${this.numSkipped} skipped`] : []),
        ...(failures.length > 0 ? [`${failures.length} failed`] : []),
      ].join('; ');
      if (failures.length === 0) say(line);
      else warn(`${line}:`);
      for (const { label, error } of failures) warn(`voxlane: ${label}: ${failureText(error)}`);
    }
    if (this.json) {
      const counts = { files: total, done: this.numDone, skipped: this.numSkipped, failed: failures.length };
      await print(`${JSON.stringify({ event: 'summary', ...counts, audioSeconds: this.audioSeconds, seconds: Number(seconds.toFixed(3)) })}\n`);
    }
    const [only] = failures;
    if (!only) return 0;
    return total === 1 && isBadInput(only.error) ? BAD_INPUT_EXIT : 1;
  }

  private next(): string {
    return `[${++this.index}/${this.total}]`;
  }

  private async event(event: string, file: string, rest: object): Promise<void> {
    if (this.json) await print(`${JSON.stringify({ event, file, index: this.index, total: this.total, ...rest })}\n`);
  }
}

/** Whether the file itself is at fault, so that another attempt fails as well. */
const isBadInput = ({ code }: ErrorParts): boolean => code.startsWith('audio-') || code === 'source-missing';

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
