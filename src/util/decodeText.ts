import { VoxlaneError } from './errors';

/** How the bytes of a text file become letters. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** The text of a file. */
export interface DecodedText {
  /** Without a byte order mark. */
  readonly text: string;
  /** `windows-1252` is a guess, because no byte of the file says so: show it to the user. */
  readonly encoding: TextEncoding;
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });
/** Enough to tell UTF-16 by its zero bytes; a text file has digits, spaces and line ends in it. */
const SNIFFED_BYTES = 1 << 16;
/** Windows-1252 from 0x80 to 0x9F; a space for a byte that has no character. */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
/**
 * Western European words have accented letters one or two in a row. Longer runs are words of another alphabet in
 * another encoding, such as windows-1251 or Shift JIS.
 */
const MAX_ACCENTS_IN_A_ROW = 3;
/** Characters that speakers' names and speech do not have; Shift JIS and other encodings read as windows-1252 do. */
const UNUSUAL = /[ƒ†‡ˆ˜¤¦¨¬¯¶¸×÷]/;
/** Least share of zero bytes in UTF-16 without a mark: its digits, spaces and line ends. */
const MIN_ZEROS = 0.02;

/**
 * Decodes a text file: UTF-8, UTF-16 of both byte orders with or without a byte order mark (PowerShell's `>` writes it),
 * or windows-1252 if the bytes are not UTF-8 and look like a Western European language.
 *
 * @param fileName named in errors
 * @throws VoxlaneError `format` if the file has another encoding, is damaged, or is not text
 */
export function decodeText(bytes: Uint8Array, fileName: string): DecodedText {
  if (startsWith(bytes, 0xff, 0xfe, 0, 0) || startsWith(bytes, 0, 0, 0xfe, 0xff)) throw unreadable(fileName, 'is UTF-32');
  if (startsWith(bytes, 0xff, 0xfe)) return decodeUtf16(bytes, 'utf-16le', fileName);
  if (startsWith(bytes, 0xfe, 0xff)) return decodeUtf16(bytes, 'utf-16be', fileName);
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    const encoding = utf16ByZeros(bytes);
    if (encoding === null) throw unreadable(fileName, `is not text: byte ${zero} is zero`);
    return decodeUtf16(bytes, encoding, fileName);
  }
  try {
    return { text: STRICT_UTF8.decode(bytes), encoding: 'utf-8' };
  } catch {
    const { firstInvalid, isMostlyUtf8, mostInARow } = inspectHighBytes(bytes);
    if (isMostlyUtf8) throw unreadable(fileName, `is UTF-8 with a damaged character at byte ${firstInvalid}`);
    const text = decodeWindows1252(bytes);
    if (mostInARow > MAX_ACCENTS_IN_A_ROW || text === null || UNUSUAL.test(text)) {
      throw unreadable(fileName, `is not UTF-8: byte ${firstInvalid} belongs to another encoding`);
    }
    return { text, encoding: 'windows-1252' };
  }
}

/**
 * Null if a byte has no character. `TextDecoder` is not used, because some versions of Node take windows-1252 for
 * ISO 8859-1.
 */
function decodeWindows1252(bytes: Uint8Array): string | null {
  const latin1 = new TextDecoder('latin1').decode(bytes);
  const text = latin1.replace(/[\x80-\x9f]/g, (letter) => WINDOWS_1252[letter.charCodeAt(0) - 0x80]!);
  return bytes.some((byte) => byte >= 0x80 && byte <= 0x9f && WINDOWS_1252[byte - 0x80] === ' ') ? null : text;
}

function decodeUtf16(bytes: Uint8Array, encoding: 'utf-16le' | 'utf-16be', fileName: string): DecodedText {
  const name = encoding.toUpperCase();
  if (bytes.length % 2 === 1) throw unreadable(fileName, `is ${name} that ends in the middle of a character`);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(fileName, `is ${name} with a damaged character`, cause);
  }
  const zero = text.indexOf('\0');
  if (zero >= 0) throw unreadable(fileName, `is not text: character ${zero} is zero`);
  return { text, encoding };
}

/** The order of UTF-16 without a mark: the high byte of digits, spaces and line ends is zero. Null if it is not that. */
function utf16ByZeros(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const zeros = [0, 0];
  const end = Math.min(bytes.length, SNIFFED_BYTES);
  for (let at = 0; at < end; at++) if (bytes[at] === 0) zeros[at % 2]!++;
  const [even = 0, odd = 0] = zeros;
  if (even + odd < MIN_ZEROS * end) return null;
  // A few characters, such as U+4E00, have a zero in the low byte.
  if (odd > 4 * even) return 'utf-16le';
  return even > 4 * odd ? 'utf-16be' : null;
}

interface HighBytes {
  /** Place of the first byte that is not UTF-8. */
  readonly firstInvalid: number;
  /** Whether as many characters beyond ASCII are UTF-8 as are not. */
  readonly isMostlyUtf8: boolean;
  /** Most bytes above 0x7F that follow each other. */
  readonly mostInARow: number;
}

function inspectHighBytes(bytes: Uint8Array): HighBytes {
  let firstInvalid = -1;
  let valid = 0;
  let invalid = 0;
  let mostInARow = 0;
  let inARow = 0;
  let next = 0;
  for (const [at, byte] of bytes.entries()) {
    inARow = byte < 0x80 ? 0 : inARow + 1;
    mostInARow = Math.max(mostInARow, inARow);
    if (byte < 0x80 || at < next) continue;
    const length = utf8Length(bytes, at);
    next = at + Math.max(1, length);
    if (length > 0) valid++;
    else invalid++;
    if (length === 0 && firstInvalid < 0) firstInvalid = at;
  }
  return { firstInvalid, isMostlyUtf8: valid >= invalid, mostInARow };
}

/** Bytes of the UTF-8 character that starts here; 0 if none does. */
function utf8Length(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  const length = byte >= 0xc2 && byte <= 0xdf ? 2 : (byte & 0xf0) === 0xe0 ? 3 : byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
  if (length === 0) return 0;
  try {
    STRICT_UTF8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

const startsWith = (bytes: Uint8Array, ...expected: number[]): boolean => expected.every((byte, at) => bytes[at] === byte);

function unreadable(fileName: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'format',
      problem: `"${fileName}" ${found}`,
      expected: 'a text file in UTF-8, UTF-16 or windows-1252',
      remedy: 'Open it in the program that it is from, and save it again as UTF-8',
    },
    { cause },
  );
}
