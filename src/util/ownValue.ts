/**
 * The value of a table under a name that comes from outside, such as a file. `table[name]` would also find what every
 * object inherits: `constructor`, `toString`, `__proto__`.
 */
export function ownValue<T>(table: Readonly<Partial<Record<string, T>>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
