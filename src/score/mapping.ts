import type { Turn } from '../timeline/turns';
import { assignRows } from '../util/assignment';
import { intersection, isEmpty, sorted } from './segments';
import type { Segment } from '../util/segment';

/**
 * The speakers of the active turns, sorted by name. A speaker with two overlapping
 * turns is listed twice, like two tracks of a pyannote.core `Annotation`.
 */
type Voices = readonly string[];

/** A time segment without boundaries of either side inside it. */
export interface JointSegment extends Segment {
  readonly reference: Voices;
  readonly hypothesis: Voices;
}

/** The speakers of a segment, separated into matched and unmatched ones. */
interface MatchedVoices {
  /** Number of speakers that match on both sides. */
  readonly correct: number;
  /** The unmatched speakers of the reference. */
  readonly spoken: Voices;
  /** The unmatched speakers of the hypothesis. */
  readonly heard: Voices;
}

interface Boundary {
  readonly atSeconds: number;
  readonly speaker: string;
  readonly isReference: boolean;
  readonly isStart: boolean;
}

/**
 * The time with speech on either side, cut at every boundary of both sides, in time order.
 * Matches `UEMSupportMixin.common_timeline` and `project` of pyannote.metrics 4.2.0 (`utils.py`).
 *
 * @param reference without empty turns
 * @param hypothesis without empty turns
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
 * Matches the speakers of both sides.
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

/** @param voices must contain the speaker */
function withoutVoice(voices: Voices, speaker: string): Voices {
  if (voices.length === 1) return NOBODY;
  const left = [...voices];
  left.splice(left.indexOf(speaker), 1);
  return left;
}

/**
 * The one-to-one mapping from speakers of the hypothesis to speakers of the reference that maximizes their shared
 * time. Speakers that share no time with their partner are omitted.
 *
 * Matches `HungarianMapper` of pyannote.metrics 4.2.0 (`matcher.py`). As in pyannote, overlapping turns of one speaker count
 * twice. If several mappings share exactly the same time, returns the one that SciPy selects.
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

/** The speakers, sorted, so that the order of the turns does not decide between equal mappings. */
function labelsOf(turns: readonly Turn[]): string[] {
  return [...new Set(turns.map((turn) => turn.speaker))].sort();
}

/**
 * Seconds in which two speakers talk at the same time, by speaker of the hypothesis, then of the reference.
 *
 * Adds pairs of turns in the same order as pyannote.core's `Annotation.__mul__`, so that the
 * sums are bit-identical: nearly equal sums decide which mapping is selected.
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
