import type { Annotation } from '../../editing/annotation';
import { namesOf } from './names';

/**
 * The same names, made distinct: the second “Ann” becomes “Ann (2)”. Files distinguish speakers only by name, so two
 * speakers would become one.
 *
 * @param names by id, in the order of the lanes
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
