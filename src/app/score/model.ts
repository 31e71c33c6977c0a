import { parseRttm } from '../../formats/rttm';
import { parseUem, type UemRegion } from '../../formats/uem';
import type { ErrorKind, ErrorSegment } from '../../score/der';
import { evaluate, type Evaluation } from '../../score/score';
import type { Turn } from '../../timeline/turns';
import { type Failure, failureOf } from '../../ui-kit/failure';
import { rttmUri, stem } from '../../ui-kit/format';
import { VoxlaneError } from '../../util/errors';
import { checkScored } from '../workspace/limits';

export type FileRole = 'reference' | 'uem';

/** A parsed file: its turns or regions, by recording name. */
interface ReadFile<T> {
  readonly file: string;
  readonly recordings: ReadonlyMap<string, readonly T[]>;
}

/** The role of a file by its name or, failing that, by its first record: RTTM starts with a type. */
export function roleOf(name: string, text: string): FileRole {
  if (/\.rttm$/i.test(name)) return 'reference';
  if (/\.uem$/i.test(name)) return 'uem';
  const record = text.split(/\r\n|\r|\n/).find((line) => line.trim() !== '' && !line.startsWith(';;')) ?? '';
  return /^\S+\s+\S+\s+[\d.]+\s+[\d.]+\s*$/.test(record) ? 'uem' : 'reference';
}

/**
 * Parses the turns of a reference.
 *
 * @throws VoxlaneError `format` for an invalid RTTM line, with its number, and for a file without turns
 */
export function readReference(file: string, text: string): ReadFile<Turn> {
  const recordings = parseRttm(text);
  if (recordings.size > 0) return { file, recordings };
  throw new VoxlaneError({
    code: 'format',
    problem: `${file} contains no turns`,
    expected: 'an RTTM file with a SPEAKER line for each turn',
    remedy: 'Choose a reference with the speaker turns',
  });
}

/**
 * Parses the regions of a UEM.
 *
 * @throws VoxlaneError `format` for an invalid line, with its number, and for a file without regions
 */
export function readUem(file: string, text: string): ReadFile<UemRegion> {
  const recordings = parseUem(text);
  if (recordings.size > 0) return { file, recordings };
  throw new VoxlaneError({
    code: 'format',
    problem: `${file} contains no regions`,
    expected: 'a UEM file with a line for each region',
    remedy: 'Choose another file, or score without one',
  });
}

/**
 * The recording that matches the name of a file, with or without folder and extension. With a single recording, returns
 * it. Null if none matches.
 */
export function recordingFor(names: readonly string[], file: string): string | null {
  if (names.length === 1) return names[0] ?? null;
  const wanted = [file, stem(file), rttmUri(file)];
  return names.find((name) => wanted.includes(name)) ?? names.find((name) => wanted.includes(stem(name))) ?? null;
}

/** The state of the score panel. Pure: files are read and turns are collected elsewhere. */
export interface ScoreState {
  /** Name of the file that was diarized. */
  readonly recordingFile: string;
  readonly reference: ReadFile<Turn> | null;
  readonly uem: ReadFile<UemRegion> | null;
  /** The matching recording in the reference; null if undecided. */
  readonly recording: string | null;
  /** Total width, as in `ScoreOptions`. */
  readonly collarSeconds: number;
  readonly skipOverlap: boolean;
  /** The evaluation of the result against the reference; null if there is nothing to score. */
  readonly evaluation: Evaluation | null;
  /** Shows only errors of this kind; null shows all. */
  readonly kind: ErrorKind | null;
  /** Shorter errors are not shown in the list and on the tracks, but they still count. */
  readonly shortestSeconds: number;
  /** The errors that pass the filters `kind` and `shortestSeconds`. */
  readonly errors: readonly ErrorSegment[];
  /** The current error. After a correction, it may no longer exist. */
  readonly current: ErrorSegment | null;
  readonly isMarked: boolean;
  /** The rejected file and the reason; file is null if the score itself cannot be computed. */
  readonly failure: { readonly file: string | null; readonly failure: Failure } | null;
}

export type ScoreAction =
  | { readonly type: 'reference-read'; readonly reference: ReadFile<Turn> }
  | { readonly type: 'uem-read'; readonly uem: ReadFile<UemRegion> }
  | { readonly type: 'reference-removed' }
  | { readonly type: 'uem-removed' }
  | { readonly type: 'file-refused'; readonly file: string; readonly failure: Failure }
  | { readonly type: 'recording-chosen'; readonly recording: string }
  | { readonly type: 'options-changed'; readonly collarSeconds?: number; readonly skipOverlap?: boolean }
  /** The turns to score or the reference data changed. */
  | { readonly type: 'scored'; readonly turns: readonly Turn[] }
  | { readonly type: 'filtered'; readonly kind?: ErrorKind | null; readonly shortestSeconds?: number }
  | { readonly type: 'marking-changed'; readonly isMarked: boolean }
  | { readonly type: 'went'; readonly error: ErrorSegment | null };

export const initialScore = (recordingFile: string): ScoreState => ({
  recordingFile,
  reference: null,
  uem: null,
  recording: null,
  collarSeconds: 0,
  skipOverlap: false,
  evaluation: null,
  kind: null,
  shortestSeconds: 0,
  errors: [],
  current: null,
  isMarked: true,
  failure: null,
});

export function reduceScore(state: ScoreState, action: ScoreAction): ScoreState {
  switch (action.type) {
    case 'reference-read': {
      const { reference } = action;
      const recording = recordingFor([...reference.recordings.keys()], state.recordingFile);
      return listed({ ...state, reference, recording, evaluation: null, current: null, failure: null });
    }
    case 'uem-read':
      return { ...state, uem: action.uem, failure: null };
    case 'reference-removed':
      return listed({ ...state, reference: null, recording: null, evaluation: null, current: null, failure: null });
    case 'uem-removed':
      return { ...state, uem: null, failure: null };
    case 'file-refused':
      return { ...state, failure: { file: action.file, failure: action.failure } };
    case 'recording-chosen':
      return { ...state, recording: action.recording, current: null };
    case 'options-changed': {
      const { collarSeconds = state.collarSeconds, skipOverlap = state.skipOverlap } = action;
      return { ...state, collarSeconds, skipOverlap };
    }
    case 'scored':
      return afterScore(state, action.turns);
    case 'filtered': {
      const { kind = state.kind, shortestSeconds = state.shortestSeconds } = action;
      return listed({ ...state, kind, shortestSeconds });
    }
    case 'marking-changed':
      return { ...state, isMarked: action.isMarked };
    case 'went':
      return { ...state, current: action.error };
  }
}

/** Scores the turns if there is a reference. A scoring failure is shown until a score succeeds. */
function afterScore(state: ScoreState, turns: readonly Turn[]): ScoreState {
  // A rejected file does not affect the score of the accepted files.
  const failure = state.failure?.file == null ? null : state.failure;
  const reference = state.recording === null ? undefined : state.reference?.recordings.get(state.recording);
  if (!reference) return listed({ ...state, evaluation: null, failure });
  try {
    const { collarSeconds, skipOverlap } = state;
    const uem = regionsFor(state);
    checkScored(reference, turns);
    const evaluation = evaluate(reference, turns, { collarSeconds, skipOverlap, ...(uem && { uem }) });
    return listed({ ...state, evaluation, failure });
  } catch (thrown) {
    const found = failureOf(thrown);
    // Reuses the object for the same failure, to announce it once instead of after every correction.
    const isKnown = state.failure?.file === null && state.failure.failure.problem === found.problem;
    return listed({ ...state, evaluation: null, failure: isKnown ? state.failure : { file: null, failure: found } });
  }
}

/**
 * The regions to score; null without a UEM. The recording is matched by name as in the reference.
 *
 * @throws VoxlaneError `format` if the UEM has none for the recording
 */
function regionsFor({ uem, recording, reference, recordingFile }: ScoreState): readonly UemRegion[] | null {
  if (!uem || recording === null) return null;
  const names = [...uem.recordings.keys()];
  // A UEM with a single recording applies to a reference with a single recording, regardless of its name.
  const other = names.length > 1 || reference?.recordings.size === 1 ? recordingFor(names, recordingFile) : null;
  const name = uem.recordings.has(recording) ? recording : other;
  const regions = name === null ? undefined : uem.recordings.get(name);
  if (regions) return regions;
  throw new VoxlaneError({
    code: 'format',
    problem: `The UEM has no region for the recording "${recording}"`,
    expected: 'a region for the scored recording',
    remedy: 'Add a region or remove the UEM',
  });
}

/** Shorter errors would be listed as 0.00 s. They are caused by rounded times and still count in the rate. */
const SHORTEST_LISTED_SECONDS = 0.005;

/** Filters the errors again and restores the current one. Returns the same array if nothing changed. */
function listed(state: ScoreState): ScoreState {
  const { evaluation, kind, shortestSeconds, current } = state;
  const left = (evaluation?.errors ?? []).filter(
    (error) =>
      (kind === null || error.kind === kind) &&
      error.endSeconds - error.startSeconds >= Math.max(shortestSeconds, SHORTEST_LISTED_SECONDS),
  );
  const isUnchanged = left.length === state.errors.length && left.every((error, index) => isSame(error, state.errors[index]!));
  const errors = isUnchanged ? state.errors : left;
  return { ...state, errors, current: errors.find((error) => current && isSame(error, current)) ?? current };
}

function isSame(a: ErrorSegment, b: ErrorSegment): boolean {
  return (
    a.kind === b.kind &&
    a.reference === b.reference &&
    a.hypothesis === b.hypothesis &&
    a.startSeconds === b.startSeconds &&
    a.endSeconds === b.endSeconds
  );
}

/** Index of the current error; -1 if there is none or it was corrected. */
export const currentIndex = ({ errors, current }: ScoreState): number => (current ? errors.indexOf(current) : -1);

/**
 * The next or previous error, wrapping around at the ends; null if there are none. If the current error was corrected,
 * continues from its position.
 */
export function stepFrom(state: ScoreState, step: 1 | -1): ErrorSegment | null {
  const { errors, current } = state;
  if (errors.length === 0) return null;
  const index = currentIndex(state);
  if (index >= 0) return errors[(index + step + errors.length) % errors.length] ?? null;
  const from = current?.startSeconds ?? -Infinity;
  const later = errors.findIndex((error) => error.startSeconds >= from);
  if (!current) return errors.at(step === 1 ? 0 : -1) ?? null;
  if (step === 1) return errors[Math.max(0, later)] ?? null;
  return errors.at(later < 0 ? -1 : later - 1) ?? null;
}

/** Actions for the sections of the panel. */
export interface ScoreActions {
  readonly open: (files: Iterable<File>, role?: FileRole) => void;
  readonly dispatch: (action: Exclude<ScoreAction, { type: 'scored' | 'went' }>) => void;
  readonly takeNames: () => void;
  readonly go: (error: ErrorSegment | null) => void;
  readonly step: (step: 1 | -1) => void;
}

/** A section of the panel, updated after every change. */
export interface ScoreSection {
  readonly element: HTMLElement;
  readonly update: (state: ScoreState) => void;
}
