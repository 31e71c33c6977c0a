import { VoxlaneError } from '../src/util/errors';

/** Parsers for options shared by several commands. Each throws an Error with a one-line message. */

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

export function httpAddress(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${name} is ${text}. Expected an address starting with http:// or https://.`);
  return text;
}

/**
 * Runs a library check. Errors name command-line flags instead of library options.
 *
 * @param names flags by option. An option that is one plain word is only replaced after "The option"
 */
export function checkedAs(names: Readonly<Record<string, string>>, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof VoxlaneError)) throw error;
    const named = [error.problem, error.expected && `Expected ${error.expected}`].filter(Boolean).join('. ');
    const text = Object.entries(names).reduce((line, [name, flag]) => line.replace(new RegExp(`\\b(The option )${/[A-Z]/.test(name) ? '?' : ''}${name}\\b`, 'g'), flag), named);
    throw new Error(`${text}.`, { cause: error });
  }
}
