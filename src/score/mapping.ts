import { assignRows } from '../clustering/assignment';
import type { Turn } from '../timeline/turn';
import { intersection, isEmpty, sorted } from './intervals';

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
