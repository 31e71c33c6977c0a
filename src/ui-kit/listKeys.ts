import { ownValue } from '../util/values';

/** Whether a key is pressed together with Ctrl, Alt or the Meta key, which browsers use for their own commands. */
export const hasModifier = ({ ctrlKey, metaKey, altKey }: KeyboardEvent): boolean => ctrlKey || metaKey || altKey;

/**
 * The place to which a key moves in a vertical list.
 *
 * @param index of the focused item
 * @param numItems number of items
 * @param page number of items that PageUp and PageDown skip
 * @returns an index, also outside of the list, which the caller limits; null for other keys
 */
export function listMove(key: string, index: number, numItems: number, page: number): number | null {
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: numItems - 1,
  };
  return ownValue(moves, key) ?? null;
}
