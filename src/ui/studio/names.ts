import type { Annotation } from '../../editing/annotation';
import { speakerName } from '../lanes/model';

/** What each speaker is called on the page, by id. */
export function namesOf({ speakers }: Annotation): Map<string, string> {
  return new Map(speakers.map((speaker, index) => [speaker.id, speakerName(speaker, index)]));
}

/** The name of one speaker; his id where the annotation has no such speaker. */
export function nameOf(annotation: Annotation, id: string): string {
  const index = annotation.speakers.findIndex((speaker) => speaker.id === id);
  const speaker = annotation.speakers[index];
  return speaker ? speakerName(speaker, index) : id;
}
