/** What the readers of inputs produce: references to recordings, not yet validated. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Refusal } from './layout';

/** A recording, or a segment of one, as an input names it. */
export interface Source {
  /** Manifest file and line, or the path that was given. */
  readonly source: string;
  /** Absolute. */
  readonly path: string;
  /** Name of the recording according to the input. Default: from the path. */
  readonly recording?: string | undefined;
  /** Name of the entry according to the input, for a segment. Default: from the recording and the times. */
  readonly name?: string | undefined;
  /** Seconds from the start of the file. */
  readonly startSeconds?: number | undefined;
  /** From `startSeconds`. */
  readonly durationSeconds?: number | undefined;
  readonly numSpeakers?: number | undefined;
  /** Absolute. */
  readonly referenceRttm?: string | undefined;
  /** Absolute. */
  readonly uem?: string | undefined;
}

/** Why an input is refused, without its place. */
export type Reason = Omit<Refusal, 'source' | 'path'>;

/** A reason that is thrown inside a reader or a check. */
export class Refused extends Error {
  constructor(readonly reason: Reason) {
    super(reason.problem);
  }
}

/** What a reader yields: a source, or a line that names none. */
export type Read = Source | Refusal;

export const isRefusal = (read: Read): read is Refusal => 'problem' in read;

/** Turns an error of `make` into a refusal of this place. */
export function readOr(source: string, make: () => Source): Read {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { source, path: null, ...error.reason };
  }
}

/**
 * A path of a manifest. A relative path is relative to the manifest; if no such file exists, to the working folder, as
 * in Lhotse.
 */
export function pathFrom(manifest: string, path: string): string {
  const beside = resolve(dirname(manifest), path);
  if (existsSync(beside)) return beside;
  const here = resolve(path);
  return existsSync(here) ? here : beside;
}

/** A field of a manifest that must be text; undefined if it is absent, null or empty. @throws Refused */
export function textField(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw badField(name, value, 'text');
  return value;
}

/** A field of a manifest that must be a number of at least 0; undefined if it is absent, null or empty. @throws Refused */
export function numberField(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || value === '') return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) throw badField(name, value, 'a number of at least 0');
  return number;
}

/** A field with a number of speakers. @throws Refused */
export function speakersField(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = numberField(fields, name);
  if (value !== undefined && (!Number.isInteger(value) || value < 1)) throw badField(name, value, 'a whole number of at least 1, or none');
  return value;
}

function badField(name: string, value: unknown, expected: string): Refused {
  const found = JSON.stringify(value).slice(0, 60);
  return new Refused({ code: 'entry', problem: `The field ${name} is ${found}`, expected, remedy: 'Correct the line of the manifest' });
}
