import { VoxlaneError } from './errors';

/** The character encoding of a text file. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** The text of a file. */
export interface DecodedText {
  /** Without a byte order mark. */
  readonly text: string;
  /** `windows-1252` is a guess, because the file does not name its encoding. Show it to the user. */
  readonly encoding: TextEncoding;
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });
/** Enough to detect UTF-16 from the zero bytes of its digits, spaces and line ends. */
const SNIFFED_BYTES = 1 << 16;
/** Windows-1252 from 0x80 to 0x9F; U+FFFD for a byte that has no character. */
const WINDOWS_1252 = '€\uFFFD‚ƒ„…†‡ˆ‰Š‹Œ\uFFFDŽ\uFFFD\uFFFD‘’“”•–—˜™š›œ\uFFFDžŸ';
/**
 * Western European text has one or two accented letters in a row, next to punctuation. Longer runs are words in
 * another alphabet and encoding, such as windows-1251 or Shift JIS. French puts no-break spaces between punctuation
 * and words, so these end a run.
 */
const MAX_ACCENTS_IN_A_ROW = 3;
const NO_BREAK_SPACE = 0xa0;
/**
 * Characters that do not occur in names and speech, but in other encodings read as windows-1252: the symbols of Shift
 * JIS, opening quotation marks after letters (é and ä of DOS), capital letters after small ones (é of Mac, è of DOS).
 */
const UNUSUAL = /[ƒ†‡ˆ˜¤¦¨¬¯¶¸×÷\uFFFD]|\p{L}[‚„]|\p{Ll}[ŠŽŸ]/u;
/** Minimum share of zero bytes in UTF-16 without a byte order mark. They come from digits, spaces and line ends. */
const MIN_ZEROS = 0.02;
/**
 * Range of the second byte of a UTF-8 character, by its first byte. Other second bytes would encode surrogates or be
 * overlong.
 */
const SECOND_BYTES: ReadonlyMap<number, readonly [low: number, high: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

/**
 * Decodes a text file: UTF-8, UTF-16 in either byte order with or without a byte order mark (PowerShell's `>` writes
 * it), or windows-1252 if the bytes are not UTF-8 and look like a Western European language.
 *
 * @param fileName for errors
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
    if (mostInARow > MAX_ACCENTS_IN_A_ROW || UNUSUAL.test(text)) {
      throw unreadable(fileName, `is not UTF-8: byte ${firstInvalid} belongs to another encoding`);
    }
    return { text, encoding: 'windows-1252' };
  }
}

/**
 * Decodes bytes without a character as U+FFFD. `TextDecoder` alone is not enough: some versions of Node decode ISO
 * 8859-1 instead.
 */
function decodeWindows1252(bytes: Uint8Array): string {
  const text = new TextDecoder('windows-1252').decode(bytes);
  return text.replace(/[\x80-\x9f]/g, (letter) => WINDOWS_1252[letter.charCodeAt(0) - 0x80]!);
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

/**
 * The byte order of UTF-16 without a byte order mark, where the high byte of digits, spaces and line ends is zero;
 * null if it is not UTF-16.
 */
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
  /** Offset of the first byte that is not UTF-8. */
  readonly firstInvalid: number;
  /** Whether at least half of the bytes above 0x7F belong to UTF-8 characters. */
  readonly isMostlyUtf8: boolean;
  /** Length of the longest run of bytes above 0x7F. */
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
    inARow = byte < 0x80 || byte === NO_BREAK_SPACE ? 0 : inARow + 1;
    mostInARow = Math.max(mostInARow, inARow);
    if (byte < 0x80 || at < next) continue;
    const length = utf8Length(bytes, at);
    next = at + Math.max(1, length);
    valid += length;
    if (length === 0) invalid++;
    if (length === 0 && firstInvalid < 0) firstInvalid = at;
  }
  return { firstInvalid, isMostlyUtf8: valid >= invalid, mostInARow };
}

/**
 * Number of bytes in the UTF-8 character that starts at `at`; 0 if none starts there. `TextDecoder` would throw for
 * each byte of a file in another encoding, which takes seconds per megabyte.
 */
function utf8Length(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  const length = byte >= 0xc2 && byte <= 0xdf ? 2 : (byte & 0xf0) === 0xe0 ? 3 : byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
  const [low, high] = SECOND_BYTES.get(byte) ?? [0x80, 0xbf];
  const second = bytes[at + 1] ?? 0;
  if (length === 0 || second < low || second > high) return 0;
  const others = bytes.subarray(at + 2, at + length);
  return others.length === length - 2 && others.every((other) => (other & 0xc0) === 0x80) ? length : 0;
}

const startsWith = (bytes: Uint8Array, ...expected: number[]): boolean => expected.every((byte, at) => bytes[at] === byte);

function unreadable(fileName: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'format',
      problem: `"${fileName}" ${found}`,
      expected: 'a text file in UTF-8, UTF-16 or windows-1252',
      remedy: 'Open it in the app that wrote it, and save it again as UTF-8',
    },
    { cause },
  );
}
