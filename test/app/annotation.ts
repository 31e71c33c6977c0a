import type { Annotation, EditableTurn } from '../../src/editing/annotation';

/** An annotation of `[speaker, start, end]` for tests, with speakers in order of first appearance. */
export function annotationWith(turns: readonly (readonly [string, number, number])[], others: Partial<Annotation> = {}): Annotation {
  const speakers = [...new Set(turns.map(([speaker]) => speaker))].map((id, color) => ({ id, name: null, color }));
  const made = turns
    .map(([speaker, startSeconds, endSeconds], id): EditableTurn => ({ id, speaker, startSeconds, endSeconds, confidence: null, isCorrected: false }))
    .sort((one, other) => one.startSeconds - other.startSeconds);
  return {
    durationSeconds: Math.max(0, ...made.map(({ endSeconds }) => endSeconds)),
    speakers,
    turns: made,
    exclusiveHints: [],
    nextId: made.length,
    ...others,
  };
}
