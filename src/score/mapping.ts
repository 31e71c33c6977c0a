import type { Turn } from '../timeline/turns';
import { assignRows } from '../util/assignment';
import { intersection, type Segment, isEmpty, sorted } from './segments';

/**
 * The speakers of the open turns, in the order of their names. A speaker who talks over himself, in two turns that
 * overlap, is in it twice, as two tracks of a pyannote.core `Annotation` are.
 */
export type Voices = readonly string[];

/** A segment of time in which neither side has a boundary. */
export interface JointSegment extends Segment {
  readonly reference: Voices;
  readonly hypothesis: Voices;
}

/** The voices of a segment, told apart. */
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
export function cutAtBoundaries(reference: readonly Turn[], hypothesis: readonly Turn[]): JointSegment[] {
  const boundaries: Boundary[] = [];
  pushBoundaries(boundaries, reference, true);
  pushBoundaries(boundaries, hypothesis, false);
  boundaries.sort((a, b) => a.atSeconds - b.atSeconds);
  const segments: JointSegment[] = [];
  let [spoken, heard]: [Voices, Voices] = [[], []];
  let startSeconds = -Infinity;
  for (const { atSeconds, isReference, speaker, isStart } of boundaries) {
    const segment = { startSeconds, endSeconds: atSeconds, reference: spoken, hypothesis: heard };
    if ((spoken.length > 0 || heard.length > 0) && !isEmpty(segment)) segments.push(segment);
    const change = isStart ? withVoice : withoutVoice;
    if (isReference) spoken = change(spoken, speaker);
    else heard = change(heard, speaker);
    startSeconds = atSeconds;
  }
  return segments;
}

/**
 * Pairs the voices of both sides that are of the same speaker.
 *
 * @param mapping speaker of the hypothesis → speaker of the reference
 */
export function matchVoices({ reference, hypothesis }: JointSegment, mapping: ReadonlyMap<string, string>): MatchedVoices {
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

/**
 * The one-to-one mapping from speakers of the hypothesis to speakers of the reference under which they share the
 * most time. A speaker who shares none with his partner has no entry.
 *
 * Meaning of `HungarianMapper` of pyannote.metrics 4.2.0 (`matcher.py`). Two turns of one speaker that overlap count
 * twice there, and so here. Of several mappings that share exactly the same time, the one that SciPy takes is taken.
 */
export function optimalMapping(reference: readonly Turn[], hypothesis: readonly Turn[]): Map<string, string> {
  const references = labelsOf(reference);
  const hypotheses = labelsOf(hypothesis);
  if (references.length === 0 || hypotheses.length === 0) return new Map();

  const rows = sharedSeconds(reference, hypothesis);
  const shared = Float64Array.from(
    hypotheses.flatMap((label) => references.map((other) => rows.get(label)?.get(other) ?? 0)),
  );
  const columns = assignRows(shared, hypotheses.length, references.length);
  const mapping = new Map<string, string>();
  for (const [row, label] of hypotheses.entries()) {
    const column = columns[row] ?? -1;
    const partner = references[column];
    if (partner !== undefined && (shared[row * references.length + column] ?? 0) > 0) mapping.set(label, partner);
  }
  return mapping;
}

/** The speakers, sorted: the order of the turns shall not decide which of two equal mappings is taken. */
function labelsOf(turns: readonly Turn[]): string[] {
  return [...new Set(turns.map((turn) => turn.speaker))].sort();
}

/**
 * Seconds that two speakers talk at the same time, by speaker of the hypothesis, then of the reference.
 *
 * Pairs of turns are added up in the order in which pyannote.core's `Annotation.__mul__` meets them, so that the
 * sums are the same to the last bit: sums that are nearly equal decide which mapping is taken.
 */
function sharedSeconds(reference: readonly Turn[], hypothesis: readonly Turn[]): Map<string, Map<string, number>> {
  const rows = new Map<string, Map<string, number>>();
  const waiting = sorted(reference);
  let next = 0;
  let open: Turn[] = [];
  for (const turn of sorted(hypothesis)) {
    open = open.filter((other) => other.endSeconds > turn.startSeconds);
    for (let other = waiting[next]; other && other.startSeconds < turn.endSeconds; other = waiting[++next]) {
      open.push(other);
    }
    const row = rows.get(turn.speaker) ?? new Map<string, number>();
    rows.set(turn.speaker, row);
    for (const other of open) {
      const both = intersection(turn, other);
      if (isEmpty(both)) continue;
      row.set(other.speaker, (row.get(other.speaker) ?? 0) + (both.endSeconds - both.startSeconds));
    }
  }
  return rows;
}
