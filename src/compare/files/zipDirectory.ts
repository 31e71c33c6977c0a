/** What the directory at the end of a zip says of each file that the unpacker does not check. */

/** One file, in the order of the directory. */
export interface DirectoryEntry {
  /** CRC-32 of the unpacked file. */
  readonly crc: number;
  readonly isEncrypted: boolean;
}

/** Signatures and sizes of the records, from PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16. */
const FILE = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const END64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 };
/** The end may be followed by a comment of this length. */
const MAX_COMMENT_BYTES = 0xffff;

/**
 * Null if the directory is not where the end of the zip says, or ends early.
 *
 * @param maxEntries entries after these are not read
 */
export function readDirectory(zip: Uint8Array, maxEntries: number): DirectoryEntry[] | null {
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

/** For each byte, the remainder of its polynomial division by the one of IEEE 802.3, bits reversed. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as zip files have it, from 0 to 2^32 - 1. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
