import { annotationOf } from '../editing/annotationOf';
import type { DiarizationResult, Speaker } from '../engine/types';
import { parseRttm } from '../formats/rttm';
import type { Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import { badProperty } from './errors';

/** A speaker of a {@link ShownResult}. A speaker of a run has all fields of the library's `Speaker`. */
export type ShownSpeaker = Pick<Speaker, 'label'> & Partial<Speaker>;

/**
 * The result that the widget shows. A result of a run has all fields of the library's `DiarizationResult`; turns that the
 * page has set may have only these.
 */
export interface ShownResult extends Partial<Omit<DiarizationResult, 'durationSeconds' | 'turns' | 'speakers'>> {
  /** Length of the recording in seconds. If it is not known, the end of the last turn. */
  readonly durationSeconds: number;
  /** Sorted by start, then end. Turns of different speakers may overlap. */
  readonly turns: readonly Turn[];
  /** In the order of their tracks. */
  readonly speakers: readonly ShownSpeaker[];
}

/** Turns to show without a run. A `DiarizationResult`, a {@link ShownResult} and the parsed JSON of an export have this form. */
export interface TurnsToShow {
  /** In any order. Overlapping turns of one speaker are joined. */
  readonly turns: readonly Turn[];
  /** Speakers in the order of their tracks. Speakers that occur only in turns follow, in the order of their first turn. */
  readonly speakers?: readonly {
    /** Label that the turns refer to. */
    readonly label: string;
    /** Name to show; null or absent: a number. */
    readonly name?: string | null;
  }[];
  /** Length of the recording in seconds. Default: that of the recording or, without one, the end of the last turn. */
  readonly durationSeconds?: number;
}

/** Values of the property `result`: a result, turns, or the text of an RTTM file with one recording. */
export type ResultToShow = TurnsToShow | readonly Turn[] | string;

/** A result set by the page. */
export interface GivenResult {
  readonly result: ShownResult;
  /** Whether the page has said how long the recording is. */
  readonly isLengthKnown: boolean;
  /** Names by label, from the speakers of the value. */
  readonly names: ReadonlyMap<string, string>;
}

/** The names of a `speakerNames` value, trimmed; empty names are removed. @throws VoxlaneError `options` */
export function readNames(value: unknown): Map<string, string> {
  if (!isRecord(value) || Array.isArray(value)) throw badProperty('speakerNames', kindOf(value), 'an object with a name for each label');
  const names = new Map<string, string>();
  for (const [label, name] of Object.entries(value)) {
    if (name === null || name === undefined) continue;
    if (typeof name !== 'string') throw badProperty(`speakerNames[${JSON.stringify(label)}]`, kindOf(name), 'a string');
    if (name.trim() !== '') names.set(label, name.trim());
  }
  return names;
}

/**
 * Reads a value of the property `result`.
 *
 * @throws VoxlaneError `options` for a value of another form, with the position of the wrong turn; `format` for text that
 *   is not RTTM, with its line
 */
export function readResult(value: ResultToShow): GivenResult {
  if (typeof value === 'string') return given({ turns: turnsOfRttm(value) });
  if (Array.isArray(value)) return given({ turns: value as readonly Turn[] });
  if (isRecord(value) && Array.isArray((value as Partial<TurnsToShow>).turns)) return given(value as TurnsToShow);
  throw badProperty('result', kindOf(value), 'a result of diarize(), an object with turns, an array of turns, or the text of an RTTM file');
}

function turnsOfRttm(text: string): readonly Turn[] {
  const recordings = [...parseRttm(text)];
  if (recordings.length > 1) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The RTTM text in the property result has ${recordings.length} recordings`,
      expected: 'one recording',
      remedy: 'Read the text with parseRttm() of voxlane/formats and set the turns of one recording',
    });
  }
  return recordings[0]?.[1] ?? [];
}

function given(value: TurnsToShow): GivenResult {
  const { turns, speakers = [], durationSeconds } = value;
  turns.forEach(checkTurn);
  if (!isList(speakers)) throw badProperty('result.speakers', kindOf(speakers), 'an array');
  speakers.forEach(checkSpeaker);
  const isLengthKnown = durationSeconds !== undefined;
  if (isLengthKnown && !isSeconds(durationSeconds)) throw badProperty('result.durationSeconds', kindOf(durationSeconds), 'a number of seconds, 0 or more');
  const lastEnd = turns.reduce((end, turn) => Math.max(end, turn.endSeconds), 0);
  const annotation = annotationOf(turns, [], speakers, durationSeconds ?? lastEnd);
  const byLabel = new Map<string, ShownSpeaker>(speakers.map((speaker) => [speaker.label, speaker]));
  return {
    result: {
      ...value,
      durationSeconds: annotation.durationSeconds,
      turns: annotation.turns.map(plainTurn),
      speakers: annotation.speakers.map(({ id }) => byLabel.get(id) ?? { label: id }),
    },
    isLengthKnown,
    names: new Map(annotation.speakers.flatMap(({ id, name }) => (name === null || name.trim() === '' ? [] : [[id, name.trim()]]))),
  };
}

const plainTurn = ({ startSeconds, endSeconds, speaker, confidence }: Turn): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
  ...(typeof confidence === 'number' && { confidence }),
});

function checkTurn(turn: unknown, index: number): void {
  const path = `result.turns[${index}]`;
  if (!isRecord(turn)) throw badProperty(path, kindOf(turn), 'an object with startSeconds, endSeconds and speaker');
  const { startSeconds, endSeconds, speaker } = turn;
  if (!isSeconds(startSeconds)) throw badProperty(`${path}.startSeconds`, kindOf(startSeconds), 'a number of seconds, 0 or more');
  if (!isSeconds(endSeconds) || endSeconds < startSeconds) throw badProperty(`${path}.endSeconds`, kindOf(endSeconds), `a number of seconds, ${startSeconds} or more`);
  if (typeof speaker !== 'string' || speaker === '') throw badProperty(`${path}.speaker`, kindOf(speaker), 'the label of a speaker');
}

function checkSpeaker(speaker: unknown, index: number): void {
  const path = `result.speakers[${index}]`;
  if (!isRecord(speaker) || typeof speaker.label !== 'string' || speaker.label === '') throw badProperty(path, kindOf(speaker), 'an object with a label');
  if (typeof (speaker.name ?? '') !== 'string') throw badProperty(`${path}.name`, kindOf(speaker.name), 'a string or null');
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isList = (value: unknown): boolean => Array.isArray(value);
const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** A wrong value in words: numbers and short text as they are, others by their kind. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? 'a text' : JSON.stringify(value);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'an array' : `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
}
