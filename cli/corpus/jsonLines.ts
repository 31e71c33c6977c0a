/** JSON-lines files that are read and written line by line, because a manifest can have a million lines. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import * as v from 'valibot';
import { describeIssue } from '../../src/util/describeIssue';
import { reasonOf } from '../output';

/** A longer line is not from a manifest, but from a file of another kind. */
const MAX_CHARACTERS = 1 << 24;

export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a UTF-8 file that are not blank, without a byte order mark. A file whose name ends with `.gz` is decompressed.
 *
 * @throws Error with a one-line message that names the file
 */
export async function* textLines(path: string): AsyncGenerator<TextLine, void, undefined> {
  let number = 0;
  let rest = '';
  try {
    for await (const chunk of textChunks(path)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      if (rest.length > MAX_CHARACTERS) throw new Error(`a line has more than ${MAX_CHARACTERS} characters`);
      for (const line of lines) {
        number++;
        if (line.trim() !== '') yield { number, text: line.replace(/\r$/, '') };
      }
    }
  } catch (cause) {
    const isAbsent = (cause as { readonly code?: unknown }).code === 'ENOENT';
    throw new Error(isAbsent ? `${path} does not exist` : `${path} cannot be read after line ${number}: ${reasonOf(cause)}`, { cause });
  }
  if (rest.trim() !== '') yield { number: number + 1, text: rest.replace(/\r$/, '') };
}

/** An error of the file destroys the decompressor, whose reader then receives it. */
const ignore = (): void => undefined;

/**
 * Why the start of a file is not that of a manifest, as the end of a sentence; null if it can be. UTF-16, which old versions
 * of PowerShell write, has zero bytes or a byte order mark. Binary files have zero bytes.
 */
export function textProblem(head: Uint8Array): string | null {
  const [first, second] = head;
  const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return hasMark || head.includes(0) ? 'it is not text in UTF-8. If it is a manifest, save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)' : null;
}

/** The decoder removes the byte order mark. */
async function* textChunks(path: string): AsyncGenerator<string, void, undefined> {
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? pipeline(file, createGunzip(), ignore) : file;
  const decoder = new TextDecoder();
  try {
    let isFirst = true;
    for await (const chunk of bytes as AsyncIterable<Uint8Array>) {
      const problem = isFirst ? textProblem(chunk) : null;
      if (problem !== null) throw new Error(problem);
      isFirst = false;
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } finally {
    file.destroy();
  }
}

/**
 * Parses and validates JSON that this program wrote.
 *
 * @param place file, or file and line, for the error
 * @throws Error with a one-line message
 */
export function parseAs<T extends v.GenericSchema>(schema: T, text: string, place: string): v.InferOutput<T> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${place} is not JSON. The file was changed or is damaged; run the command that wrote it again`, { cause });
  }
  const read = v.safeParse(schema, content, { abortEarly: true });
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new Error(`${place} is invalid at ${v.getDotPath(issue) ?? 'the top level'}: ${describeIssue(issue)}`);
}

/** The validated lines of a file that this program wrote. @throws Error with a one-line message that names file and line */
export async function* jsonLines<T extends v.GenericSchema>(path: string, schema: T): AsyncGenerator<v.InferOutput<T>, void, undefined> {
  for await (const { number, text } of textLines(path)) yield parseAs(schema, text, `${path}, line ${number}`);
}

/** One line of a JSON-lines file. Absent values must be `undefined`. */
export const jsonLine = (value: object): string => `${JSON.stringify(value)}\n`;
