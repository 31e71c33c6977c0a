import type { Turn } from '../timeline/turn';
import { isEmpty, type Interval } from './intervals';

/**
 * The speakers of the open turns, in the order of their names. A speaker who talks over himself, in two turns that
 * overlap, is in it twice, as two tracks of a pyannote.core `Annotation` are.
 */
export type Voices = readonly string[];

/** A stretch of time in which neither side has a boundary. */
export interface Piece extends Interval {
  readonly reference: Voices;
  readonly hypothesis: Voices;
}

/** The voices of a piece, told apart. */
export interface MatchedVoices {
  /** How many of both sides are of the same speaker. */
  readonly correct: number;
  /** The other voices of the reference. */
  readonly spoken: Voices;
  /** The other voices of the hypothesis. */
  readonly heard: Voices;
}

interface Boundary {
  readonly atSeconds: number;
  readonly speaker: string;
  readonly isReference: boolean;
  readonly isStart: boolean;
}

/**
 * The time in which somebody speaks on either side, cut at every boundary of either side, in order of time.
 * Meaning of `UEMSupportMixin.common_timeline` and `project` of pyannote.metrics 4.2.0 (`utils.py`).
 *
 * @param reference no turn empty
 * @param hypothesis no turn empty
 */
export function cutAtBoundaries(reference: readonly Turn[], hypothesis: readonly Turn[]): Piece[] {
  const boundaries: Boundary[] = [];
  pushBoundaries(boundaries, reference, true);
  pushBoundaries(boundaries, hypothesis, false);
  boundaries.sort((a, b) => a.atSeconds - b.atSeconds);
  const pieces: Piece[] = [];
  let [spoken, heard]: [Voices, Voices] = [[], []];
  let startSeconds = -Infinity;
  for (const { atSeconds, isReference, speaker, isStart } of boundaries) {
    const piece = { startSeconds, endSeconds: atSeconds, reference: spoken, hypothesis: heard };
    if ((spoken.length > 0 || heard.length > 0) && !isEmpty(piece)) pieces.push(piece);
    const change = isStart ? withVoice : withoutVoice;
    if (isReference) spoken = change(spoken, speaker);
    else heard = change(heard, speaker);
    startSeconds = atSeconds;
  }
  return pieces;
}

/**
 * Pairs the voices of both sides that are of the same speaker.
 *
 * @param mapping speaker of the hypothesis → speaker of the reference
 */
export function matchVoices({ reference, hypothesis }: Piece, mapping: ReadonlyMap<string, string>): MatchedVoices {
  let spoken = reference;
  let heard = hypothesis;
  for (const voice of hypothesis) {
    const partner = mapping.get(voice);
    if (partner === undefined || !spoken.includes(partner)) continue;
    spoken = withoutVoice(spoken, partner);
    heard = withoutVoice(heard, voice);
  }
  return { correct: reference.length - spoken.length, spoken, heard };
}

function pushBoundaries(boundaries: Boundary[], turns: readonly Turn[], isReference: boolean): void {
  for (const { startSeconds, endSeconds, speaker } of turns) {
    boundaries.push({ atSeconds: startSeconds, isReference, speaker, isStart: true });
    boundaries.push({ atSeconds: endSeconds, isReference, speaker, isStart: false });
  }
}

const NOBODY: Voices = [];

function withVoice(voices: Voices, speaker: string): Voices {
  if (voices.length === 0) return [speaker];
  const after = voices.findIndex((voice) => voice > speaker);
  const more = [...voices];
  more.splice(after < 0 ? voices.length : after, 0, speaker);
  return more;
}

/** @param voices has the speaker */
function withoutVoice(voices: Voices, speaker: string): Voices {
  if (voices.length === 1) return NOBODY;
  const left = [...voices];
  left.splice(left.indexOf(speaker), 1);
  return left;
}
