import type { Annotation } from '../../editing/annotation';
import { labelNumber, speakerName } from '../../ui-kit/tracks/model';

/** The displayed name of each speaker, by id. */
export function namesOf({ speakers }: Annotation): Map<string, string> {
  return new Map(speakers.map((speaker, index) => [speaker.id, speakerName(speaker, index)]));
}

/** The displayed name of a speaker; the id if the annotation does not contain the speaker. */
export function nameOf(annotation: Annotation, id: string): string {
  const index = annotation.speakers.findIndex((speaker) => speaker.id === id);
  const speaker = annotation.speakers[index];
  return speaker ? speakerName(speaker, index) : id;
}

/**
 * Makes names distinct: the second “Ann” becomes “Ann (2)”. Files distinguish speakers only by name, so without this, two
 * speakers with the same name would become one.
 *
 * @param names by id, in the order of the tracks
 */
export function distinctNames(names: ReadonlyMap<string, string>): Map<string, string> {
  const given = new Set(names.values());
  /** The last number used for each name. */
  const numbers = new Map<string, number>();
  return new Map(
    [...names].map(([id, name]) => {
      let number = (numbers.get(name) ?? 0) + 1;
      while (number > 1 && given.has(`${name} (${number})`)) number++;
      numbers.set(name, number);
      return [id, number === 1 ? name : `${name} (${number})`];
    }),
  );
}

/** The name of each speaker in exported files, by id. */
export function exportNamesOf(annotation: Annotation): Map<string, string> {
  return distinctNames(namesOf(annotation));
}

/**
 * Speakers with the same name as an earlier one. Case is ignored.
 *
 * @returns map from the id of each such speaker to the id of the first speaker of that name
 */
export function namesakesOf(annotation: Annotation): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  const namesakes = new Map<string, string>();
  for (const [id, name] of namesOf(annotation)) {
    const key = name.toLocaleLowerCase();
    const before = first.get(key);
    if (before === undefined) first.set(key, id);
    else namesakes.set(id, before);
  }
  return namesakes;
}

/** The number keys. */
const NUM_KEYS = 9;

/**
 * The number key of each speaker, by id. A key is the number in the speaker's name, “Speaker 3”, and stays the same when
 * the speaker is named, or when others are merged or removed. Speakers without such a number, or with one above 9, get
 * the remaining keys, in the order of the tracks. Speakers beyond the ninth have none.
 */
export function speakerKeys({ speakers }: Annotation): ReadonlyMap<string, number> {
  const keys = new Map<string, number>();
  for (const { id } of speakers) {
    const number = labelNumber(id);
    if (number !== null && number < NUM_KEYS) keys.set(id, number + 1);
  }
  const taken = new Set(keys.values());
  const free = Array.from({ length: NUM_KEYS }, (_, index) => index + 1).filter((key) => !taken.has(key));
  for (const { id } of speakers) {
    if (keys.has(id)) continue;
    const key = free.shift();
    if (key === undefined) break;
    keys.set(id, key);
  }
  return keys;
}

/** The speaker of a number key; null if no speaker has it. */
export function speakerOfKey(annotation: Annotation, key: number): string | null {
  for (const [id, own] of speakerKeys(annotation)) if (own === key) return id;
  return null;
}
