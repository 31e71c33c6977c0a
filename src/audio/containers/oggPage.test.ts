import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withoutLacing } from './ogg';

const HEADER_BYTES = 27;
const CHECKSUM = 22;
const CONTINUED = 1;

/** The pages of an Ogg file that FFmpeg has written. */
function pagesOf(file: Buffer): Uint8Array[] {
  const pages = [];
  for (let start = 0; start < file.length;) {
    const lacing = file.subarray(start + HEADER_BYTES, start + HEADER_BYTES + file[start + 26]!);
    const end = start + HEADER_BYTES + lacing.length + lacing.reduce((sum, value) => sum + value, 0);
    pages.push(new Uint8Array(file.subarray(start, end)));
    start = end;
  }
  return pages;
}

/** Remainder of the division of a page by the polynomial of RFC 3533, by long division of bits. */
function checksumOf(page: Uint8Array): number {
  const bits = [...page.slice().fill(0, CHECKSUM, CHECKSUM + 4), 0, 0, 0, 0].flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> (7 - bit)) & 1));
  const divisor = Array.from((0x1_04c1_1db7).toString(2), Number);
  for (let at = 0; at + divisor.length <= bits.length; at++) {
    if (bits[at]) divisor.forEach((bit, index) => { bits[at + index]! ^= bit; });
  }
  return Number.parseInt(bits.slice(-32).join(''), 2);
}

const storedChecksum = (page: Uint8Array): number => new DataView(page.buffer).getUint32(CHECKSUM, true);
const pages = pagesOf(readFileSync('e2e/fixtures/sample.ogg'));
const page = pages[3]!;
const contentOf = (of: Uint8Array): Uint8Array => of.subarray(HEADER_BYTES + of[26]!);

test('a page without its first packet has the other packets, and a valid checksum', () => {
  expect(storedChecksum(page)).toBe(checksumOf(page));
  const lacing = page.subarray(HEADER_BYTES, HEADER_BYTES + page[26]!);
  const numDropped = lacing.findIndex((value) => value < 255) + 1;
  expect(lacing.length).toBeGreaterThan(numDropped);
  const droppedBytes = lacing.subarray(0, numDropped).reduce((sum, value) => sum + value, 0);

  const continued = page.slice();
  continued[5]! |= CONTINUED;
  const cut = withoutLacing(continued, numDropped);
  expect(cut[5]! & CONTINUED).toBe(0);
  expect(cut[26]).toBe(lacing.length - numDropped);
  expect(cut.subarray(HEADER_BYTES, HEADER_BYTES + cut[26]!)).toEqual(lacing.subarray(numDropped));
  expect(contentOf(cut)).toEqual(contentOf(page).subarray(droppedBytes));
  // Capture pattern, granule, serial and sequence number stay.
  expect(cut.subarray(0, 5)).toEqual(page.subarray(0, 5));
  expect(cut.subarray(6, CHECKSUM)).toEqual(page.subarray(6, CHECKSUM));
  expect(storedChecksum(cut)).toBe(checksumOf(cut));
  // The argument is not changed.
  expect(continued[26]).toBe(page[26]);
});

test('a page that begins with a whole packet stays the same, byte for byte', () => {
  for (const whole of pages.slice(0, 3)) expect(withoutLacing(whole, 0)).toEqual(whole);
});
