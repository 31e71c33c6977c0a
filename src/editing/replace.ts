import type { Annotation, EditableTurn } from './annotation';
import { withoutOverlap } from './annotationOf';
import { compareTurns } from './order';
import { inSeconds, refusal } from './refuse';

/**
 * Other turns and speakers altogether, of the same recording.
 *
 * A turn that is exactly one of before (times, speaker, confidence, corrected) stays that one, with its id; all others
 * get new ids, because whoever made the new annotation could not know which are taken. The kind of the confidences is
 * that of the new ones, and so are the minimum durations.
 *
 * @throws VoxlaneError `options` where the new annotation contradicts itself: a turn of a speaker whom it does not list,
 *   one that ends before it starts, two speakers with one id
 */
export function replaceAll(before: Annotation, next: Annotation): Annotation {
  checkAnnotation(next);
  const known = new Map(before.turns.map((turn) => [contentOf(turn), turn]));
  let { nextId } = before;
  const turns = withoutOverlap([...next.turns].sort(compareTurns))
    .map(({ startSeconds, endSeconds, speaker, confidence, isCorrected }): EditableTurn => {
      const turn = { id: nextId, startSeconds, endSeconds, speaker, confidence: confidence ?? null, isCorrected };
      const same = known.get(contentOf(turn));
      if (same) return same;
      nextId++;
      return turn;
    })
    .sort(compareTurns);
  const { confidenceKind, minDurations } = next;
  const { durationSeconds, nextLabel } = before;
  return {
    durationSeconds,
    speakers: next.speakers.map(
      ({ id, name, colour }) =>
        before.speakers.find((own) => own.id === id && own.name === name && own.colour === colour) ?? { id, name, colour },
    ),
    turns,
    exclusiveHints: [...next.exclusiveHints].sort((a, b) => a.startSeconds - b.startSeconds),
    nextId,
    ...(confidenceKind !== undefined && { confidenceKind }),
    ...(minDurations && { minDurations }),
    ...(nextLabel !== undefined && { nextLabel }),
  };
}

/** All of a turn but its id. Same content means the same turn: those of one speaker do not overlap. */
function contentOf({ startSeconds, endSeconds, speaker, confidence, isCorrected }: EditableTurn): string {
  return JSON.stringify([startSeconds, endSeconds, speaker, confidence ?? null, isCorrected]);
}

function checkAnnotation({ speakers, turns }: Annotation): void {
  const ids = new Set(speakers.map(({ id }) => id));
  if (ids.size < speakers.length) {
    throw refusal('Two speakers have the same id', 'an id of its own for each speaker', 'Read the file again');
  }
  for (const { startSeconds, endSeconds, speaker } of turns) {
    if (!ids.has(speaker)) {
      throw refusal(`A turn is of ${speaker}, who is no speaker`, `one of ${[...ids].join(', ')}`, 'Read the file again');
    }
    if (!(Number.isFinite(startSeconds) && startSeconds < endSeconds && Number.isFinite(endSeconds))) {
      throw refusal(
        `A turn goes from ${inSeconds(startSeconds)} to ${inSeconds(endSeconds)}`,
        'an end after the start',
        'Read the file again',
      );
    }
  }
}
