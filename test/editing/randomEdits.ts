import fc from 'fast-check';
import type { Annotation, Edit } from '../../src/editing/annotation';
import { annotationOf } from '../../src/editing/annotationOf';

/** Parameters of a random edit: the kind, and fractions from 0 to 1 that select its targets. */
export interface Throw {
  readonly kind: number;
  readonly first: number;
  readonly second: number;
  readonly third: number;
}

/** Uniform in [0, 1). fast-check's doubles are mostly near 0 and would select the same few edits. */
export const fraction = fc.noBias(fc.nat({ max: 2 ** 20 - 1 })).map((value) => value / 2 ** 20);

export const aThrow: fc.Arbitrary<Throw> = fc.record({ kind: fraction, first: fraction, second: fraction, third: fraction });

/** The edit for these parameters and this annotation. Most edits are valid; the caller handles invalid ones. */
export function editFor(annotation: Annotation, { kind, first, second, third }: Throw): Edit {
  const { turns, speakers, durationSeconds } = annotation;
  const one = <Item>(items: readonly Item[], at: number): Item => items[Math.floor(at * items.length)]!;
  if (speakers.length === 0) return { type: 'add-speaker', name: null };
  const speaker = one(speakers, first).id;
  const startSeconds = second * durationSeconds * 0.9;
  const span = { startSeconds, endSeconds: startSeconds + 0.02 + third * durationSeconds * 0.1 };
  if (turns.length === 0) return { type: 'add-turn', speaker, ...span };
  const { id: turn, ...old } = one(turns, second);
  const edits: readonly (() => Edit)[] = [
    () => ({ type: 'rename-speaker', speaker, name: second < 0.2 ? null : `Name ${Math.floor(second * 50)}` }),
    () => ({ type: 'recolor-speaker', speaker, color: Math.floor(second * 8) }),
    () => ({ type: 'merge-speakers', from: speaker, into: one(speakers, second).id }),
    () => ({ type: 'add-speaker', name: second < 0.5 ? null : 'Guest' }),
    () => ({ type: 'remove-speaker', speaker }),
    ...Array.from({ length: 4 }, () => () => ({ type: 'add-turn', speaker, ...span }) as const),
    // Often exactly onto an edge of a neighbor, like snapping.
    () => ({ type: 'move-turn', turn, startSeconds: old.startSeconds, endSeconds: one(turns, third).startSeconds }),
    () => ({ type: 'move-turn', turn, startSeconds: one(turns, third).endSeconds, endSeconds: old.endSeconds }),
    () => ({ type: 'move-turn', turn, ...span }),
    ...Array.from({ length: 4 }, () => () => ({ type: 'split-turn', turn, atSeconds: old.startSeconds + third * (old.endSeconds - old.startSeconds) }) as const),
    ...Array.from({ length: 4 }, () => () => ({ type: 'assign-turn', turn, speaker }) as const),
    () => ({ type: 'confirm-turn', turn }),
    () => ({ type: 'delete-turn', turn }),
    () => ({ type: 'replace', annotation: replacement(annotation, second) }),
  ];
  return one(edits, kind)();
}

/** Simulates reclustering: new ids, some turns unchanged, some assigned to another speaker. */
function replacement({ turns, speakers, exclusiveHints, durationSeconds }: Annotation, chance: number): Annotation {
  const changed = turns.map((turn, index) =>
    (index * 0.37 + chance) % 1 < 0.3 ? { ...turn, speaker: 'OTHER', isCorrected: false } : turn,
  );
  const sources = speakers.map(({ id, name, color }) => ({ label: id, name, color }));
  const replaced = annotationOf(changed, exclusiveHints.slice(Math.floor(chance * 5)), sources, durationSeconds);
  return chance < 0.5 ? { ...replaced, confidenceKind: chance < 0.25 ? 'margin' : 'posterior' } : replaced;
}
