import * as v from 'valibot';
import type { Peaks } from '../../audio/peaks';
import { History } from '../../editing/history';
import type { DiarizationResult } from '../../engine/types';
import type { Transcript } from '../../transcript/transcript';
import { describeIssue } from '../../util/describeIssue';
import { VoxlaneError } from '../../util/errors';
import type { Outcome } from '../state';

/** A unique id for saved work: 80 random bits. `randomUUID` is missing on pages without HTTPS. */
export function newWorkId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The parts of saved work. Each has its own key. */
export const PARTS = ['about', 'outcome', 'history', 'transcript', 'recording', 'voices', 'peaks'] as const;
export type Part = (typeof PARTS)[number];

/** Optional parts, which take up nearly all the space. Dropped in this order. */
const HEAVY_PARTS = ['recording', 'voices', 'peaks'] as const;
export type HeavyPart = (typeof HEAVY_PARTS)[number];

export const keyOf = (part: Part, id: string): string => `${part}/${id}`;

/** The id of the work if `key` is the key of an `about` part; otherwise null. */
export function idOfAbout(key: string): string | null {
  return key.startsWith('about/') ? key.slice('about/'.length) : null;
}

const bytes = v.pipe(v.number(), v.minValue(0));

const aboutSchema = v.object({
  /** Version of all records of this work. Other releases may use a different one. */
  version: v.literal(1),
  id: v.string(),
  name: v.string(),
  durationSeconds: v.pipe(v.number(), v.finite()),
  numSpeakers: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Milliseconds since 1970. */
  savedAt: v.number(),
  /** Changes with each save of corrections. Earlier releases did not write it. */
  revision: v.exactOptional(v.string()),
  /** Size of each part that is present, in bytes. */
  sizes: v.object({
    outcome: bytes,
    history: bytes,
    transcript: v.exactOptional(bytes),
    recording: v.exactOptional(bytes),
    voices: v.exactOptional(bytes),
    peaks: v.exactOptional(bytes),
  }),
});

/** The index entry of saved work, readable without opening it. */
export type About = Readonly<v.InferOutput<typeof aboutSchema>>;

/** Parses an index entry; null if there is none, or if it is damaged or from another release. */
export function aboutFrom(stored: unknown): About | null {
  return v.is(aboutSchema, stored) ? stored : null;
}

/** The revision of the corrections; empty if an earlier release saved them. */
export function revisionOf({ revision }: About): string {
  return revision ?? '';
}

export function bytesOf({ sizes }: About): number {
  return Object.values(sizes).reduce((sum, size) => sum + size, 0);
}

/** The approximate size in bytes of a value stored as a structured clone. */
export function sizeOf(value: unknown): number {
  if (value instanceof Blob) return value.size;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), 0);
}

/** The storage limits. */
export interface KeepLimits {
  /** Maximum number of results. */
  readonly works: number;
  /** Maximum size of all their parts. */
  readonly bytes: number;
}

/** Fifty results and two gigabytes: 17 hours of WAV at 16 kHz, or a hundred hours of MP3. */
export const KEEP_LIMITS: KeepLimits = { works: 50, bytes: 2e9 };

/** A heavy part of one piece of work. */
interface Droppable {
  readonly id: string;
  readonly part: HeavyPart;
  readonly bytes: number;
}

/**
 * Heavy parts in the order in which they are dropped to make room: all recordings, oldest first, then all voice data,
 * then all peaks.
 *
 * @param except id of the work to make room for
 */
export function droppable(works: readonly About[], except: string): Droppable[] {
  const oldestFirst = works.filter(({ id }) => id !== except).sort((a, b) => a.savedAt - b.savedAt);
  return HEAVY_PARTS.flatMap((part) =>
    oldestFirst.flatMap(({ id, sizes }) => {
      const bytes = sizes[part];
      return bytes === undefined ? [] : [{ id, part, bytes }];
    }),
  );
}

/** The work and parts to delete to get within the limits, as far as possible. */
export function surplus(works: readonly About[], limits: KeepLimits, except: string): { works: string[]; parts: Droppable[] } {
  const others = works.filter(({ id }) => id !== except).sort((a, b) => a.savedAt - b.savedAt);
  const gone = new Set(others.slice(0, Math.max(0, works.length - limits.works)).map(({ id }) => id));
  const left = works.filter(({ id }) => !gone.has(id));
  let bytes = left.reduce((sum, work) => sum + bytesOf(work), 0);
  const parts: Droppable[] = [];
  for (const candidate of droppable(left, except)) {
    if (bytes <= limits.bytes) break;
    parts.push(candidate);
    bytes -= candidate.bytes;
  }
  return { works: [...gone], parts };
}

/** Optional parts of saved work. A damaged one counts as missing. */

const times = { startSeconds: v.number(), endSeconds: v.number(), text: v.string() };
const transcriptSchema = v.object({
  file: v.string(),
  cues: v.array(v.object({ ...times, words: v.array(v.object(times)) })),
});

const peaksSchema = v.object({ secondsPerPeak: v.pipe(v.number(), v.gtValue(0)), extremes: v.instance(Int16Array) });

/** @param stored JSON text */
export function transcriptFrom(stored: unknown): Transcript | null {
  if (typeof stored !== 'string') return null;
  try {
    const value: unknown = JSON.parse(stored);
    return v.is(transcriptSchema, value) ? value : null;
  } catch {
    return null;
  }
}

export function peaksFrom(stored: unknown): Peaks | null {
  return v.is(peaksSchema, stored) ? stored : null;
}

/** An outcome without the parts saved separately: the recording and the voice data. */
export type KeptOutcome = Omit<Outcome, 'blob' | 'result'> & { readonly result: Omit<DiarizationResult, 'voices'> | null };

const seconds = v.pipe(v.number(), v.finite());
const turns = v.array(
  v.looseObject({ startSeconds: seconds, endSeconds: seconds, speaker: v.string(), confidence: v.exactOptional(v.nullable(v.number())) }),
);

/** The fields that are read immediately. The rest is as defined by this version of the records. */
const outcomeSchema = v.looseObject({
  id: v.string(),
  name: v.string(),
  annotation: v.looseObject({}),
  options: v.nullable(v.looseObject({ preset: v.string(), speed: v.string(), backend: v.string() })),
  processingSeconds: v.nullable(v.number()),
  result: v.nullable(
    v.looseObject({
      durationSeconds: seconds,
      turns,
      exclusiveTurns: turns,
      speakers: v.array(v.looseObject({ label: v.string(), speechSeconds: seconds, centroid: v.nullable(v.instance(Float32Array)) })),
      timings: v.record(v.string(), v.number()),
      backend: v.looseObject({ name: v.picklist(['webgpu', 'wasm']), threads: v.number(), reason: v.string() }),
      preset: v.string(),
      speed: v.string(),
      embeddingModel: v.nullable(v.string()),
    }),
  ),
});

/** The outcome in its stored form: a shallow copy without the heavy parts. */
export function withoutHeavyParts({ id, name, result, annotation, options, processingSeconds }: Outcome): KeptOutcome {
  if (!result) return { id, name, result, annotation, options, processingSeconds };
  const light = Object.entries(result).filter(([key]) => key !== 'voices');
  return { id, name, result: Object.fromEntries(light) as unknown as KeptOutcome['result'], annotation, options, processingSeconds };
}

/** @throws VoxlaneError `format` if it is damaged */
export function outcomeFrom(stored: unknown): KeptOutcome {
  const { issues } = v.safeParse(outcomeSchema, stored);
  if (issues) throw damaged(`${v.getDotPath(issues[0]) ?? 'the result'}: ${describeIssue(issues[0])}`);
  const outcome = withNotes(stored as KeptOutcome);
  // Parsing a history without steps also validates the annotation.
  History.fromPlain({ version: 2, annotation: outcome.annotation, done: [], undone: [] });
  return outcome;
}

/** Results saved by earlier releases have no notes. */
function withNotes(outcome: KeptOutcome): KeptOutcome {
  return outcome.result ? { ...outcome, result: { ...NO_NOTES, ...outcome.result } } : outcome;
}

const NO_NOTES = { tracks: [], notes: [] };

/** An error for saved work that is damaged. */
export function damaged(what: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `The saved work cannot be read: ${what}`,
    expected: 'the format of this release',
    remedy: 'Delete it and analyze the recording again',
  });
}
