/**
 * Distinct names that a format can hold.
 *
 * A name that the format can hold does not change. Another name that would become equal to one before it gets the first
 * free number from 2 on: `A_B` and `A B` become `A_B` and `A_B_2`.
 *
 * @param names numbered in this order; duplicates count once
 * @param written converts one name to what the format can hold
 * @returns the name to write, by original name
 */
export function distinctNames(names: readonly string[], written: (name: string) => string): Map<string, string> {
  const unique = [...new Set(names)];
  const taken = new Set(unique.filter((name) => written(name) === name));
  const nextNumbers = new Map<string, number>();
  return new Map(
    unique.map((name) => {
      const plain = written(name);
      if (plain === name) return [name, name];
      let free = plain;
      while (taken.has(free)) {
        const number = nextNumbers.get(plain) ?? 2;
        nextNumbers.set(plain, number + 1);
        free = `${plain}_${number}`;
      }
      taken.add(free);
      return [name, free];
    }),
  );
}
