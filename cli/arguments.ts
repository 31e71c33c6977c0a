import { VoxlaneError } from '../src/util/errors';

/** Parsers for options shared by several commands. Each throws an Error with a one-line message. */

export function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`${name} is ${text}. Expected a number.`);
  return value;
}

/**
 * A list of numbers with commas between them.
 *
 * @param example a valid value, for the error
 */
export function numbers(name: string, text: string, example: string): number[] {
  const expected = `Expected numbers with commas between them, for example ${example}.`;
  const parts = items(name, text, expected);
  const wrong = parts.find((part) => !Number.isFinite(Number(part)));
  if (wrong !== undefined) throw new Error(`${name} is ${text}, but ${wrong} is not a number. ${expected}`);
  return parts.map(Number);
}

/** A list of names with commas between them, each once. */
export function names<Value extends string>(name: string, text: string, values: readonly Value[]): Value[] {
  const expected = `Expected ${values.join(', ')}, with commas between them.`;
  const found = items(name, text, expected).map((item) => {
    const value = values.find((candidate) => candidate === item);
    if (value === undefined) throw new Error(`${name} is ${text}, but ${item} does not exist. ${expected}`);
    return value;
  });
  return [...new Set(found)];
}

function items(name: string, text: string, expected: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new Error(`${name} is ${JSON.stringify(text)}, which has an empty item. ${expected}`);
  return parts;
}

/** A whole number of at least 1. */
export function count(name: string, text: string): number {
  const value = number(name, text)!;
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is ${text}. Expected a whole number of at least 1.`);
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
