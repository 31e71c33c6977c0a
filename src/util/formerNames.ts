/**
 * Replaces former names of fields in JSON that another release wrote.
 *
 * @param value parsed JSON; it is not changed
 * @param names former name → present name, at any depth. A field that already has its present name stays.
 * @returns `value` itself if it has no former name, otherwise a copy of what changed
 */
export function withPresentNames(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => withPresentNames(item, names));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, content]: [string, unknown]) => {
    const present = Object.hasOwn(names, name) ? names[name]! : name;
    return [Object.hasOwn(value, present) ? name : present, withPresentNames(content, names), name, content] as const;
  });
  const isChanged = entries.some(([present, now, name, before]) => present !== name || now !== before);
  return isChanged ? Object.fromEntries(entries.map(([present, now]) => [present, now])) : value;
}
