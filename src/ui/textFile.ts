import { decodeText } from '../util/decodeText';
import { VoxlaneError } from '../util/errors';
import { inLanguage } from './texts/language';

const words = inLanguage(
  { guessed: (file: string) => `${file} is not UTF-8. It was read as windows-1252: check the letters with accents.` },
  { de: { guessed: (file) => `${file} ist kein UTF-8. Die Datei wurde als Windows-1252 gelesen: Prüfen Sie die Umlaute und Akzente.` } },
);

/**
 * Reads the text of a user's file.
 *
 * @param say shows a sentence if the encoding is a guess
 * @param decode throws what this function throws
 * @throws VoxlaneError `format` if the browser cannot read the file, or its encoding is not supported
 */
export async function readTextFile(file: File, say: (sentence: string) => void, decode = decodeText): Promise<string> {
  const { text, encoding } = decode(new Uint8Array(await bytesOf(file)), file.name);
  if (encoding === 'windows-1252') say(guessedEncoding(file.name));
  return text;
}

/** Says that the encoding of a file is a guess. */
export const guessedEncoding = (file: string): string => words.guessed(file);

async function bytesOf(file: File): Promise<ArrayBuffer> {
  try {
    return await file.arrayBuffer();
  } catch (thrown) {
    throw new VoxlaneError(
      { code: 'format', problem: `${file.name} cannot be read`, remedy: 'Choose the file again' },
      { cause: thrown },
    );
  }
}
