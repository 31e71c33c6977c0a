import * as v from 'valibot';
import { messageOf, VoxlaneError } from '../util/errors';

/**
 * JSON that a person brought.
 *
 * @param expected ends the sentence "Expected …" of an error
 * @throws VoxlaneError `format` where the text is no JSON
 */
export function parseJson(fileName: string, text: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const problem = `"${fileName}" is no sound JSON (${messageOf(cause)})`;
    const remedy = 'Choose another file, or export this one again';
    throw new VoxlaneError({ code: 'format', problem, expected, remedy }, { cause });
  }
}

/**
 * What a schema makes of it.
 *
 * @throws VoxlaneError `format`, with the path in the file of the first thing that is wrong
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
    problem: `"${fileName}" has something else at ${v.getDotPath(issue) ?? 'its outermost level'}: ${issue.message}`,
    expected,
    remedy: 'Correct the file, or export it again from the program that it is from',
  });
}

export function hasKey(content: unknown, key: string): boolean {
  return typeof content === 'object' && content !== null && key in content;
}
