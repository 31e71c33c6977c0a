import type { Annotation } from '../../editing/annotation';
import { namesOf } from './names';

/**
 * The same labels, made different from each other: the second “Ann” becomes “Ann (2)”. Files tell speakers apart by name
 * only, and two people would become one.
 *
 * @param names by id, in the order of the lanes
 */
export function distinctNames(names: ReadonlyMap<string, string>): Map<string, string> {
  const given = new Set(names.values());
  /** The number that the last speaker of a name got. */
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

/** What each speaker is called in a file, by id. */
export function exportNamesOf(annotation: Annotation): Map<string, string> {
  return distinctNames(namesOf(annotation));
}

/**
 * Speakers who are called like one before them, with that one. Capital letters make no difference.
 *
 * @returns id of the first of that name, by the id of each other one
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
