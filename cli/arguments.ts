/** Options that several commands have. Each throws an Error with one line that says what is wrong. */

export function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`${name} is ${text}. Expected a number.`);
  return value;
}

export function oneOf<Value extends string>(name: string, text: string, values: readonly Value[]): Value {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new Error(`${name} is ${text}. Expected ${values.join(' or ')}.`);
  return value;
}
