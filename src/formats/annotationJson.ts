import type { Annotation } from '../editing/annotation';
import { exclusiveOf } from '../editing/exclusive';
import type { Turn } from '../timeline/turns';
import { type JsonSource, type RunManifest, toJson } from './json';

/**
 * A corrected result as JSON text, in the form of {@link toJson}: turns, speakers and exclusive turns are those of the
 * annotation, the rest is what the run found. `readAnyTurns` gives all of the annotation back but the ids of its turns;
 * times have the microsecond, and confidences the four digits, that {@link toJson} keeps.
 *
 * A re-clustering that was accepted brings its own minimum durations. `speakerCount` is the run's as long as so many speakers
 * talk.
 *
 * Turns name their speaker by `label`; what a person called the speaker is `name`. A centroid is of the cluster that
 * the run found, whatever was corrected since.
 *
 * @param file name of the recording, for the reader
 * @param result what the run found; of a speaker who is no longer in the annotation nothing is written
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
    // Other numbers than that of the run have no alternatives.
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
