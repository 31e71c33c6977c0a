import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { decodeText } from '../src/util/decodeText';

/**
 * Reads a text file with the same encodings as the page.
 *
 * @param warn called with a sentence if the encoding is a guess
 * @throws VoxlaneError `format` if the encoding is not supported
 */
export function readTextFile(path: string, warn: (note: string) => void): string {
  const { text, encoding } = decodeText(readFileSync(path), basename(path));
  if (encoding === 'windows-1252') warn(`${path} is not UTF-8 and was read as windows-1252. Check accented letters.`);
  return text;
}
