import type { Annotation, Edit, EditableTurn } from '../../editing/annotation';
import type { ErrorKind, ErrorStretch } from '../../score/errors';
import type { Evaluation } from '../../score/evaluation';
import type { Mark } from '../studio/studio';

/** One line of the table of speakers: somebody of the reference, of the result, or of both. */
export interface SpeakerRow {
  /** Name in the reference; null for a speaker of the result whom it does not have. */
  readonly reference: string | null;
  /** Id in the annotation; null where nobody is taken for the reference's speaker. */
  readonly speaker: string | null;
  /** Speech by the reference, as far as it counts. */
  readonly speechSeconds: number;
  /** Of that, what the result lacks or gives to somebody else. */
  readonly lostSeconds: number;
  /** What the result gives to the speaker and the reference does not. */
  readonly addedSeconds: number;
  /** The speaker's part of the Jaccard error rate; null where it has none. */
  readonly jaccardError: number | null;
}

/** The speakers of the reference, by name, and after them those of the result who have no partner. */
export function speakerRows({ score, jaccard, errors }: Evaluation): SpeakerRow[] {
  const lost = secondsBy(errors, 'reference');
  const added = secondsBy(errors, 'hypothesis');
  const mapping = Object.entries(score.mapping);
  const known = jaccard.speakers.map(({ reference, speechSeconds, error }): SpeakerRow => {
    const speaker = mapping.find(([, partner]) => partner === reference)?.[0] ?? null;
    return {
      reference,
      speaker,
      speechSeconds,
      lostSeconds: lost.get(reference) ?? 0,
      addedSeconds: (speaker === null ? 0 : added.get(speaker)) ?? 0,
      jaccardError: error,
    };
  });
  const mapped = new Set(mapping.map(([speaker]) => speaker));
  const others = [...added].filter(([speaker]) => !mapped.has(speaker)).sort(([a], [b]) => (a < b ? -1 : 1));
  const unknown = others.map(
    ([speaker, addedSeconds]): SpeakerRow => ({ reference: null, speaker, speechSeconds: 0, lostSeconds: 0, addedSeconds, jaccardError: null }),
  );
  return [...known, ...unknown];
}

function secondsBy(errors: readonly ErrorStretch[], side: 'reference' | 'hypothesis'): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const error of errors) {
    const speaker = error[side];
    if (speaker !== null) seconds.set(speaker, (seconds.get(speaker) ?? 0) + error.endSeconds - error.startSeconds);
  }
  return seconds;
}

/** The corrections that give each mapped speaker the reference's name. */
export function renamesOf({ speakers }: Annotation, { score }: Evaluation): Edit[] {
  const names = new Map(Object.entries(score.mapping));
  return speakers.flatMap(({ id, name }): Edit[] => {
    const next = names.get(id);
    return next === undefined || next === name ? [] : [{ type: 'rename-speaker', speaker: id, name: next }];
  });
}

/** What the lanes draw of the errors. */
export function marksOf(errors: readonly ErrorStretch[]): Mark[] {
  return errors.map(({ kind, startSeconds, endSeconds, hypothesis }) => ({ kind, startSeconds, endSeconds, speaker: hypothesis }));
}

/** The turn that an error is about: of those of its speaker the one that covers most of it; null for missed speech. */
export function turnOf({ turns }: Annotation, error: ErrorStretch): EditableTurn | null {
  let found: EditableTurn | null = null;
  let most = 0;
  for (const turn of turns) {
    if (turn.startSeconds >= error.endSeconds) break;
    if (turn.speaker !== error.hypothesis) continue;
    const shared = Math.min(turn.endSeconds, error.endSeconds) - Math.max(turn.startSeconds, error.startSeconds);
    if (shared <= most) continue;
    found = turn;
    most = shared;
  }
  return found;
}

/** The parts of the bar, in the order in which it shows them. Their seconds are the reference's speech and the false alarm. */
export const PARTS = ['correct', 'missed', 'confusion', 'false-alarm'] as const satisfies readonly (ErrorKind | 'correct')[];
export type Part = (typeof PARTS)[number];

export function partsOf({ score }: Evaluation): Readonly<Record<Part, number>> {
  return { correct: score.correct, missed: score.missedSpeech, confusion: score.confusion, 'false-alarm': score.falseAlarm };
}
