import type { Annotation } from '../editing/annotation';
import { exclusiveOf } from '../editing/exclusive';
import type { Turn } from '../timeline/turns';
import { type JsonSource, type RunManifest, toJson } from './json';

/**
 * A corrected result as JSON text, in the form of {@link toJson}: turns, speakers and exclusive turns are those of the
 * annotation; the rest is from the run. `readAnyTurns` restores the annotation except the ids of its turns;
 * times and confidences are rounded as in {@link toJson}: to microseconds and to four digits.
 *
 * After an accepted re-clustering, its minimum durations are written. `speakerCount` is that of the run as long as the number of
 * speakers with turns is the same.
 *
 * Turns refer to their speaker by `label`; `name` is the name set by the user. A centroid is that of the cluster
 * found by the run, regardless of corrections.
 *
 * @param file name of the recording, for the reader
 * @param result result of the run; speakers that are no longer in the annotation are not written
 */
export function annotationToJson(file: string, result: JsonSource, annotation: Annotation, run?: RunManifest): string {
  const { durationSeconds, turns, exclusiveHints } = annotation;
  const exclusiveTurns = exclusiveOf(annotation);
  const centroids = new Map(result.speakers.map(({ label, centroid }) => [label, centroid]));
  const speech = new Map<string, number>();
  for (const { speaker, startSeconds, endSeconds } of turns) {
    speech.set(speaker, (speech.get(speaker) ?? 0) + endSeconds - startSeconds);
  }
  const source: JsonSource = {
    ...result,
    durationSeconds,
    turns,
    exclusiveTurns,
    ...(!areEqual(exclusiveTurns, exclusiveHints) && { exclusiveHints }),
    ...(annotation.confidenceKind !== undefined && { confidenceKind: annotation.confidenceKind }),
    ...annotation.minDurations,
    // Alternatives are known only for the number of speakers found by the run.
    ...(result.speakerCount && speech.size !== result.speakerCount.value && { speakerCount: { value: speech.size, alternatives: [], unmet: null } }),
    speakers: annotation.speakers.map(({ id, name, color }) => ({
      label: id,
      name,
      color,
      speechSeconds: speech.get(id) ?? 0,
      centroid: centroids.get(id) ?? null,
    })),
  };
  return toJson(file, source, run);
}

function areEqual(some: readonly Turn[], others: readonly Turn[]): boolean {
  return (
    some.length === others.length &&
    some.every((turn, index) => {
      const other = others[index]!;
      return (
        turn.startSeconds === other.startSeconds &&
        turn.endSeconds === other.endSeconds &&
        turn.speaker === other.speaker &&
        turn.confidence === other.confidence
      );
    })
  );
}
