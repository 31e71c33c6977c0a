/**
 * Looks up a name that comes from outside, such as from a file. `table[name]` would also find inherited properties:
 * `constructor`, `toString`, `__proto__`.
 */
export function ownValue<T>(table: Readonly<Partial<Record<string, T>>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
