import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';

/** Numbers that Python's `json` writes but JSON does not support, and their replacements. */
const PYTHON_NUMBERS: readonly (readonly [word: string, json: string])[] = [
  ['NaN', 'null'],
  // JavaScript parses a number that is too large for a double as infinite.
  ['Infinity', '1e999'],
];

/**
 * Parses the JSON of a user's file. Python's `NaN` becomes null; its `Infinity` becomes an infinite number.
 *
 * @param expected ends the sentence "Expected …" of an error
 * @throws VoxlaneError `format` if the text is not JSON
 */
export function parseJson(fileName: string, text: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const plain = withoutPythonNumbers(text);
    if (plain !== null) return parseJson(fileName, plain, expected);
    const problem = `"${fileName}" is not valid JSON`;
    const remedy = 'Choose another file, or export this one again';
    throw new VoxlaneError({ code: 'format', problem, expected, remedy }, { cause });
  }
}

/** Whether a text is intended as JSON. Plain text can start with a bracket too: `[00:00.000 --> 00:02.000]`, `[Music]`. */
export function looksLikeJson(text: string): boolean {
  return /^\s*(?:\{|\[\s*(?:[{["\]]|$))/.test(text);
}

/**
 * Validates content with a schema.
 *
 * @throws VoxlaneError `format`, with the path of the first invalid value in the file
 */
export function checkJson<T extends v.GenericSchema>(
  fileName: string,
  content: unknown,
  schema: T,
  expected: string,
): v.InferOutput<T> {
  const read = v.safeParse(schema, content, { abortEarly: true });
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new VoxlaneError({
    code: 'format',
    problem: `"${fileName}" is invalid at ${v.getDotPath(issue) ?? 'the top level'}: ${describeIssue(issue)}`,
    expected,
    remedy: 'Correct the file, or export it again from the app that wrote it',
  });
}

export function hasKey(content: unknown, key: string): boolean {
  return typeof content === 'object' && content !== null && key in content;
}

/** The text with Python's numbers replaced, except in strings; null if there are none. */
function withoutPythonNumbers(text: string): string | null {
  let plain = '';
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') {
      at = endOfString(text, at);
      continue;
    }
    const found = PYTHON_NUMBERS.find(([word]) => text.startsWith(word, at));
    if (!found) continue;
    const [word, json] = found;
    plain += text.slice(copied, at) + json;
    copied = at + word.length;
    at = copied - 1;
  }
  return copied === 0 ? null : plain + text.slice(copied);
}

/** Index of the closing quotation mark of the string that starts at `start`; the length of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
