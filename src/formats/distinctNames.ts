/**
 * Names as a format can hold them, each different from the others.
 *
 * A name that the format holds as it is stays so. Another one that would become equal to it gets the first free number
 * from 2 on: `A_B` and `A B` become `A_B` and `A_B_2`.
 *
 * @param names in the order of their numbers; repeated ones count once
 * @param written what the format makes of a name alone
 * @returns what to write, by name
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
