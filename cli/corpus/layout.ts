/** The files of a corpus folder: their names, contents and schemas. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { ErrorParts } from '../../src/util/errors';
import { reasonOf } from '../output';
import { jsonLines, parseAs } from './jsonLines';

/** Increases if older programs cannot use a folder. */
export const LAYOUT_VERSION = 1;

/** Absolute or relative paths of the files of a corpus folder. */
export interface CorpusFiles {
  /** {@link Plan} */
  readonly plan: string;
  /** {@link Entry} per line, in the order of the inputs. */
  readonly manifest: string;
  /** {@link Refusal} per line. */
  readonly refused: string;
  readonly results: string;
  readonly failures: string;
  readonly running: string;
  /** {@link StoredResult} */
  result(id: string): string;
  /** {@link StoredFailure} */
  failure(id: string): string;
  /** {@link Lease} */
  lease(id: string): string;
}

export function corpusFiles(folder: string): CorpusFiles {
  const results = join(folder, 'results');
  const failures = join(folder, 'failures');
  const running = join(folder, 'running');
  return {
    plan: join(folder, 'plan.json'),
    manifest: join(folder, 'manifest.jsonl'),
    refused: join(folder, 'refused.jsonl'),
    results,
    failures,
    running,
    result: (id) => join(results, `${id}.json`),
    failure: (id) => join(failures, `${id}.json`),
    lease: (id) => join(running, id),
  };
}

const wholeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const secondsSchema = v.pipe(v.number(), v.finite(), v.minValue(0));
/** An id is a file name: no separators, and short enough for suffixes. */
const idSchema = v.pipe(v.string(), v.regex(/^[\p{L}\p{N}_][\p{L}\p{N}_.+=@-]*$/u, 'expected letters, digits and . _ - + = @'), v.maxLength(180));

export const entrySchema = v.object({
  /** Unique in the manifest, and safe as a file name. */
  id: idSchema,
  /** Name of the recording, unique and without white space. Segments of one file have the same name. */
  recording: v.pipe(v.string(), v.nonEmpty()),
  /** Id of the recording in a Lhotse manifest, if it is not `recording`. */
  recordingId: v.exactOptional(v.string()),
  /** Absolute. */
  path: v.pipe(v.string(), v.nonEmpty()),
  /** Seconds from the start of the file; absent for a whole file. */
  startSeconds: v.exactOptional(secondsSchema),
  /** Seconds from the start of the file; absent for a whole file. */
  endSeconds: v.exactOptional(secondsSchema),
  /** Length of the audio to analyze: of the segment, or of the file. An estimate for files without an exact length. */
  durationSeconds: secondsSchema,
  /** Known number of speakers. */
  numSpeakers: v.exactOptional(v.pipe(wholeSchema, v.minValue(1))),
  /** Absolute path of the reference turns. */
  referenceRttm: v.exactOptional(v.string()),
  /** Absolute path of the parts to score. */
  uem: v.exactOptional(v.string()),
  /** From 0. */
  shard: wholeSchema,
  /** Size of the file. */
  bytes: wholeSchema,
  /** Modification time of the file, in milliseconds since 1970. */
  modifiedMs: v.number(),
});
/** A recording, or a segment of one. */
export type Entry = v.InferOutput<typeof entrySchema>;

export const refusalSchema = v.object({
  /** Manifest file and line, or the path that was given. */
  source: v.string(),
  /** The recording; null if the line does not name one. */
  path: v.nullable(v.string()),
  /** One of the library's error codes, or `duplicate`, `missing`, `unreadable`, `not-audio`, `segment`, `entry`. */
  code: v.string(),
  problem: v.string(),
  expected: v.exactOptional(v.string()),
  remedy: v.exactOptional(v.string()),
});
/** An input that was not planned, and why. */
export type Refusal = v.InferOutput<typeof refusalSchema>;

export const planSchema = v.object({
  version: v.literal(LAYOUT_VERSION, `expected version ${LAYOUT_VERSION}; plan again with this version of the program`),
  /** As given on the command line. */
  inputs: v.array(v.string()),
  numShards: v.pipe(wholeSchema, v.minValue(1)),
  numEntries: wholeSchema,
  numRefused: wholeSchema,
  totalSeconds: secondsSchema,
  /** Axes (shard). */
  shards: v.array(v.object({ numEntries: wholeSchema, seconds: secondsSchema })),
});
export type Plan = v.InferOutput<typeof planSchema>;

const turnSchema = v.object({
  startSeconds: v.number(),
  endSeconds: v.number(),
  speaker: v.string(),
  confidence: v.exactOptional(v.nullable(v.number())),
});

export const resultSchema = v.object({
  id: idSchema,
  /** Absolute path of the recording. */
  path: v.string(),
  /** SHA-256 of the file's bytes, 64 lower-case hex digits. */
  inputSha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** Size and times of the file when it was hashed; null if it was so new that its times do not identify it. */
  stamp: v.exactOptional(v.nullable(v.object({ bytes: wholeSchema, modifiedMs: v.number(), changedMs: v.number() })), null),
  /** Version of the library that computed the result. */
  engineVersion: v.string(),
  /** Options of the diarizer and of the run that can change the result. */
  options: v.record(v.string(), v.unknown()),
  /** SHA-256 of `options` with sorted keys. */
  optionsHash: v.string(),
  /** `silent`: there are no turns, because the file is silent. */
  status: v.picklist(['done', 'silent']),
  /** A fact for the user, such as that two attempts found no speech. */
  note: v.exactOptional(v.string()),
  /** Wall time of the file in its worker. */
  seconds: secondsSchema,
  /** 1, or 2 if the first attempt failed or found no speech. */
  attempts: v.pipe(wholeSchema, v.minValue(1)),
  /** `wasm` or `webgpu`. */
  backend: v.string(),
  counts: v.object({ turns: wholeSchema, speakers: wholeSchema, audioSeconds: secondsSchema }),
  /** When the result was finished, in milliseconds since 1970. */
  finishedMs: v.number(),
  host: v.string(),
  /**
   * The turns with unrounded times: [start in seconds, end in seconds, speaker]. RTTM from the document, which has
   * microseconds, would differ by a millisecond in some turns.
   */
  exactTurns: v.array(v.tuple([v.number(), v.number(), v.string()])),
  /** The document that `toJson` writes. */
  result: v.looseObject({
    durationSeconds: v.number(),
    turns: v.array(turnSchema),
    exclusiveTurns: v.array(turnSchema),
    timings: v.record(v.string(), v.number()),
  }),
});
/** A result file: what identifies the computation, then the library's JSON document. */
export type StoredResult = v.InferOutput<typeof resultSchema>;

const errorSchema = v.object({
  code: v.string(),
  problem: v.string(),
  expected: v.exactOptional(v.string()),
  remedy: v.exactOptional(v.string()),
  details: v.exactOptional(v.string()),
}) as v.GenericSchema<unknown, ErrorParts>;

export const failureSchema = v.object({
  id: idSchema,
  path: v.string(),
  /** Of the last attempt. */
  error: errorSchema,
  attempts: v.pipe(wholeSchema, v.minValue(1)),
  engineVersion: v.string(),
  optionsHash: v.string(),
  /** Wall time of the last attempt. */
  seconds: secondsSchema,
  /** In milliseconds since 1970. */
  finishedMs: v.number(),
  host: v.string(),
});
/** A file that failed in every attempt. */
export type StoredFailure = v.InferOutput<typeof failureSchema>;

export const leaseSchema = v.object({
  pid: wholeSchema,
  host: v.string(),
  shard: wholeSchema,
  /** In milliseconds since 1970. */
  startedMs: v.number(),
});
/** Says that a process works on a file. Only for display: a killed process leaves its leases behind. */
export type Lease = v.InferOutput<typeof leaseSchema>;

/** @throws Error with a one-line message if the folder has no valid plan */
export async function readPlan(folder: string): Promise<Plan> {
  const path = corpusFiles(folder).plan;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const isAbsent = (cause as { readonly code?: unknown }).code === 'ENOENT';
    const problem = isAbsent ? `${folder} has no plan.json` : `${path} cannot be read: ${reasonOf(cause)}`;
    throw new Error(`${problem}. Expected a folder that "corpus plan" wrote`, { cause });
  }
  return parseAs(planSchema, text, path);
}

/** The manifest, one entry at a time. @throws Error with a one-line message that names file and line */
export function readEntries(folder: string): AsyncGenerator<Entry, void, undefined> {
  return jsonLines(corpusFiles(folder).manifest, entrySchema);
}

/** @throws Error with a one-line message that names file and line */
export function readRefusals(folder: string): AsyncGenerator<Refusal, void, undefined> {
  return jsonLines(corpusFiles(folder).refused, refusalSchema);
}

/** A result, failure or lease; null if the file does not exist. @throws Error with a one-line message if it is damaged */
export async function readRecord<T extends v.GenericSchema>(path: string, schema: T): Promise<v.InferOutput<T> | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code === 'ENOENT') return null;
    throw new Error(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  return parseAs(schema, text, path);
}
