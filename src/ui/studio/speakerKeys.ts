import type { Annotation } from '../../editing/annotation';
import { labelNumber } from '../lanes/model';

/** The number keys. */
const NUM_KEYS = 9;

/**
 * The number key of each speaker, by id. A key is the number in the speaker's name, “Speaker 3”, and stays the same when
 * the speaker is named, or when others are merged or removed. Speakers without such a number, or with one above 9, get
 * the remaining keys, in the order of the lanes. Speakers beyond the ninth have none.
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
