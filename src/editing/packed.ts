import type { Turn } from '../timeline/turns';
import type { Annotation, EditableTurn } from './annotation';
import { turnsBySpeakerSteps } from './bySpeaker';

/**
 * Annotations as arrays of numbers, which can be transferred between the page and a worker. Copying a million
 * turns as objects would block the page for seconds.
 */

/** Turns as arrays, each with axes (turn). */
export interface PackedTurns {
  readonly starts: Float64Array<ArrayBuffer>;
  readonly ends: Float64Array<ArrayBuffer>;
  /** NaN if unknown. */
  readonly confidences: Float64Array<ArrayBuffer>;
  /** Indices into `labels`. */
  readonly speakers: Uint32Array<ArrayBuffer>;
  /** 0 for exclusive turns. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** 1 for turns that the user has corrected. */
  readonly corrected: Uint8Array<ArrayBuffer>;
  readonly labels: readonly string[];
}

export interface PackedAnnotation extends Omit<Annotation, 'turns' | 'exclusiveHints'> {
  readonly turns: PackedTurns;
  readonly exclusiveHints: PackedTurns;
}

/** Number of turns per step. */
const STEP = 2000;

export function* packTurns(turns: readonly (Turn & Partial<Pick<EditableTurn, 'id' | 'isCorrected'>>)[]): Generator<void, PackedTurns> {
  const count = turns.length;
  const labels = new Map<string, number>();
  const packed = {
    starts: new Float64Array(count),
    ends: new Float64Array(count),
    confidences: new Float64Array(count),
    speakers: new Uint32Array(count),
    ids: new Uint32Array(count),
    corrected: new Uint8Array(count),
  };
  for (let at = 0; at < count; at++) {
    const { startSeconds, endSeconds, speaker, confidence, id = 0, isCorrected = false } = turns[at]!;
    let label = labels.get(speaker);
    if (label === undefined) labels.set(speaker, (label = labels.size));
    packed.starts[at] = startSeconds;
    packed.ends[at] = endSeconds;
    packed.confidences[at] = confidence ?? NaN;
    packed.speakers[at] = label;
    packed.ids[at] = id;
    packed.corrected[at] = Number(isCorrected);
    if (at % STEP === STEP - 1) yield;
  }
  return { ...packed, labels: [...labels.keys()] };
}

/**
 * Restores the turns.
 *
 * @param made converts each turn. Default: returns it as a turn of an annotation
 */
export function unpackTurns(packed: PackedTurns): Generator<void, EditableTurn[]>;
export function unpackTurns<Made>(packed: PackedTurns, made: (turn: EditableTurn) => Made): Generator<void, Made[]>;
export function* unpackTurns(packed: PackedTurns, made: (turn: EditableTurn) => unknown = (turn) => turn): Generator<void, unknown[]> {
  const { starts, ends, confidences, speakers, ids, corrected, labels } = packed;
  const turns: unknown[] = [];
  for (let at = 0; at < starts.length; at++) {
    const confidence = confidences[at]!;
    const turn: EditableTurn = {
      id: ids[at]!,
      startSeconds: starts[at]!,
      endSeconds: ends[at]!,
      speaker: labels[speakers[at]!]!,
      confidence: Number.isNaN(confidence) ? null : confidence,
      isCorrected: corrected[at] === 1,
    };
    turns.push(made(turn));
    if (at % STEP === STEP - 1) yield;
  }
  return turns;
}

export function* packAnnotation(annotation: Annotation): Generator<void, PackedAnnotation> {
  const { turns, exclusiveHints, ...rest } = annotation;
  return { ...rest, turns: yield* packTurns(turns), exclusiveHints: yield* packTurns(exclusiveHints) };
}

/** Restores the annotation and groups its turns by speaker, which every part of the page requires. */
export function* unpackAnnotation({ turns, exclusiveHints, ...rest }: PackedAnnotation): Generator<void, Annotation> {
  const unpacked = yield* unpackTurns(turns);
  const hints = yield* unpackTurns(exclusiveHints, plainTurn);
  yield* turnsBySpeakerSteps(unpacked);
  return { ...rest, turns: unpacked, exclusiveHints: hints };
}

/** A turn without the properties that only turns of an annotation have. */
export function plainTurn({ startSeconds, endSeconds, speaker, confidence }: Turn): Turn {
  return { startSeconds, endSeconds, speaker, confidence: confidence ?? null };
}

/** The buffers to transfer with packed turns. */
export function buffersOf(...packed: readonly PackedTurns[]): ArrayBuffer[] {
  return packed.flatMap(({ starts, ends, confidences, speakers, ids, corrected }) =>
    [starts, ends, confidences, speakers, ids, corrected].map(({ buffer }) => buffer),
  );
}
