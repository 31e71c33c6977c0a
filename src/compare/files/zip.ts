import { unzipSync } from 'fflate';
import { VoxlaneError } from '../../util/errors';

/** The error for unreadable golden files of any form. */
export function broken(problem: string, expected: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    { code: 'format', problem, expected, remedy: 'Create the bundle again, for example with models/golden_bundle.py' },
    { cause },
  );
}

/** One file in the zip's central directory: fields that the unpacker does not check. */
interface DirectoryEntry {
  /** CRC-32 of the unpacked file. */
  readonly crc: number;
  readonly isEncrypted: boolean;
}

/** Signatures and sizes of the records, from PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16. */
const FILE = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const END64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 };
/** Maximum length of a comment after the end record. */
const MAX_COMMENT_BYTES = 0xffff;

/**
 * Reads the central directory of a zip. Null if it is not at the position in the end record, or is truncated.
 *
 * @param maxEntries maximum number of entries to read
 */
function readDirectory(zip: Uint8Array, maxEntries: number): DirectoryEntry[] | null {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const has = (at: number, { signature, bytes }: typeof FILE): boolean => at >= 0 && at + bytes <= zip.length && view.getUint32(at, true) === signature;
  let end = zip.length - END.bytes;
  const first = end - MAX_COMMENT_BYTES;
  while (end >= Math.max(0, first) && !has(end, END)) end--;
  if (!has(end, END)) return null;
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if ((count === 0xffff || at === 0xffffffff) && has(end - LOCATOR64.bytes, LOCATOR64)) {
    const end64 = Number(view.getBigUint64(end - LOCATOR64.bytes + 8, true));
    if (!has(end64, END64)) return null;
    count = Number(view.getBigUint64(end64 + 32, true));
    at = Number(view.getBigUint64(end64 + 48, true));
  }
  const entries: DirectoryEntry[] = [];
  for (let index = 0; index < Math.min(count, maxEntries); index++) {
    if (!has(at, FILE)) return null;
    entries.push({ crc: view.getUint32(at + 16, true), isEncrypted: (view.getUint16(at + 8, true) & 1) !== 0 });
    at += FILE.bytes + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** For each byte, the remainder of its polynomial division by the IEEE 802.3 polynomial, bits reversed. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as in zip files, from 0 to 2^32 - 1. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** One file of a zip, as declared in the central directory. */
interface ZipEntry {
  readonly name: string;
  /** Bytes in the zip. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/** A directory may declare billions of entries, and the reader would visit each. */
const MAX_ENTRIES = 10_000;
/** Maximum compression ratio of deflate: a repeat of 258 bytes takes two bits. */
const MAX_RATIO = 1032;

/** Files that macOS adds to folders and zips: `__MACOSX/…`, `.DS_Store`, and `._NAME` beside NAME. */
export const isClutter = (path: string): boolean => /(?:^|\/)(?:__MACOSX\/|\.DS_Store$|\._[^/]*$)/.test(path);

/** True if these are the bytes of a zip. A zip begins with its first file or, if it is empty, with its end record. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

/**
 * Lists the declared contents of a zip, without the files that macOS adds. Unpacks nothing.
 *
 * @param label start of error messages: `The bundle`
 * @throws VoxlaneError `format` if it is not a zip, is truncated, has too many files, or has two files of the same name
 */
export function listZip(zip: Uint8Array, label: string): ZipEntry[] {
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let count = 0;
  unzip(zip, label, (entry) => {
    if (++count > MAX_ENTRIES) throw broken(`${label} has too many files`, `at most ${MAX_ENTRIES}`);
    const { name } = entry;
    if (isClutter(name)) return false;
    // It is ambiguous which of the two is meant.
    if (names.has(name) && !name.endsWith('/')) throw broken(`${label} contains ${name} twice`, 'one file of each name');
    names.add(name);
    entries.push(entry);
    return false;
  });
  return entries;
}

/**
 * Unpacks the files of a zip that are in `names`, by name.
 *
 * Memory is bounded whatever the zip declares. Each buffer has exactly the declared size. It is created only after the
 * declared sizes are known to be within `maxBytes` in total and possible for the packed bytes.
 *
 * @throws VoxlaneError `format` that names the file that is damaged, too large, encrypted or packed with an unsupported
 *   method
 */
export function unpackZip(
  zip: Uint8Array,
  label: string,
  names: ReadonlySet<string>,
  maxBytes: number,
): Map<string, Uint8Array> {
  let total = 0;
  const wanted = listZip(zip, label).filter(({ name }) => names.has(name));
  for (const { name, packedBytes, unpackedBytes } of wanted) {
    // For stored files, the packed bytes are copied, whatever unpacked size is declared.
    total += Math.max(packedBytes, unpackedBytes);
    if (total > maxBytes) {
      throw broken(`${label} unpacks to ${total} bytes or more, at ${name}`, `at most ${maxBytes} bytes`);
    }
  }
  const tooFew = wanted.find(
    ({ packedBytes, unpackedBytes }) => unpackedBytes > MAX_RATIO * Math.min(packedBytes, zip.length),
  );
  if (tooFew) {
    const { name, packedBytes, unpackedBytes } = tooFew;
    throw broken(
      `${label} declares ${unpackedBytes} bytes for ${name}, which has ${packedBytes} packed bytes`,
      `at most ${MAX_RATIO} times as many, the maximum compression of a zip`,
    );
  }
  return unzip(zip, label, ({ name }) => names.has(name));
}

/** Compression methods, by their number in the directory. */
const STORED = 0;
const DEFLATED = 8;
const OTHER_METHODS: Partial<Record<number, string>> = { 9: 'deflate64', 12: 'bzip2', 14: 'LZMA', 93: 'Zstandard', 95: 'XZ' };

/** @param isSelected called before a file's buffer is created */
function unzip(zip: Uint8Array, label: string, isSelected: (entry: ZipEntry) => boolean): Map<string, Uint8Array> {
  const directory = readDirectory(zip, MAX_ENTRIES);
  if (!directory) throw broken(`${label} cannot be unpacked: it is truncated, damaged or not a zip`, 'a whole zip file');
  const checksums = new Map<string, number>();
  let index = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(zip, {
      filter: ({ name, size, originalSize, compression }) => {
        const entry = directory[index++];
        if (!isSelected({ name, packedBytes: size, unpackedBytes: originalSize })) return false;
        if (entry?.isEncrypted) throw broken(`${label} contains the encrypted file ${name}`, 'a zip without a password');
        if (compression !== STORED && compression !== DEFLATED) {
          const method = OTHER_METHODS[compression] ?? `method ${compression}`;
          throw broken(`${label} contains ${name}, compressed with ${method}`, 'files that are stored or compressed with deflate, as numpy.savez and zip do');
        }
        checksums.set(name, entry?.crc ?? 0);
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof VoxlaneError) throw cause;
    throw broken(`${label} cannot be unpacked`, 'a whole zip file', cause);
  }
  const unpacked = new Map(Object.entries(files));
  for (const [name, bytes] of unpacked) {
    if (crc32(bytes) !== checksums.get(name)) throw broken(`${label} contains the damaged file ${name}: its checksum does not match`, 'a whole zip file');
  }
  return unpacked;
}
