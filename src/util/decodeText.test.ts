import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText } from './decodeText';

const utf16 = (text: string, isBig: boolean): Uint8Array => {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) new DataView(bytes.buffer).setUint16(2 * i, text.charCodeAt(i), !isBig);
  return bytes;
};
const joined = (...parts: (readonly number[] | Uint8Array)[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const ascii = (text: string) => new TextEncoder().encode(text);

const RTTM = 'SPEAKER talk 1 0.480 2.000 <NA> <NA> Zoë <NA> <NA>\r\n';

describe('decodeText', () => {
  it.each([
    ['utf-8', ascii(RTTM)],
    ['utf-8', joined([0xef, 0xbb, 0xbf], ascii(RTTM))],
    ['utf-16le', joined([0xff, 0xfe], utf16(RTTM, false))],
    ['utf-16be', joined([0xfe, 0xff], utf16(RTTM, true))],
    ['utf-16le', utf16(RTTM, false)],
    ['utf-16be', utf16(RTTM, true)],
    ['windows-1252', Uint8Array.from(RTTM, (letter) => letter.charCodeAt(0))],
  ])('reads %s', (encoding, bytes) => {
    expect(decodeText(bytes, 'f')).toEqual({ text: RTTM, encoding });
  });

  it('reads UTF-16 of another alphabet without a byte order mark', () => {
    const text = '1\n00:00:01,000 --> 00:00:02,000\n一二三 всё это\n';
    for (const isBig of [false, true]) expect(decodeText(utf16(text, isBig), 'f').text).toBe(text);
  });

  it('reads the punctuation of Windows', () => {
    expect(decodeText(joined(ascii('a '), [0x93], ascii('caf'), [0xe9, 0x94, 0x20, 0x80, 0x20, 0x85]), 'f').text).toBe('a “café” € …');
  });

  it('reads German quotation marks and capital letters', () => {
    const text = 'Er sagt: „Ja, ‚Škoda‘ und ŽELEZO“';
    const codes: Record<string, number> = { '„': 0x84, '‚': 0x82, Š: 0x8a, '‘': 0x91, Ž: 0x8e, '“': 0x93 };
    expect(decodeText(Uint8Array.from(text, (letter) => codes[letter] ?? letter.charCodeAt(0)), 'f').text).toBe(text);
  });

  it('reads French punctuation, which has no-break spaces around it', () => {
    const text = '— «\u00A0À la fête\u00A0»…';
    const bytes = Uint8Array.from(text, (letter) => ({ '—': 0x97, '…': 0x85 })[letter] ?? letter.charCodeAt(0));
    expect(decodeText(bytes, 'f')).toEqual({ text, encoding: 'windows-1252' });
  });

  it('finds the same damaged byte as a strict decoder', () => {
    const byte = fc.oneof(fc.constantFrom(0xc1, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0x41), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), (damaged) => {
        // Enough valid characters to count as damaged UTF-8.
        const bytes = joined(ascii('é'.repeat(20)), [0x20], damaged);
        let isValid = true;
        try {
          new TextDecoder('utf-8', { fatal: true }).decode(bytes);
        } catch {
          isValid = false;
        }
        if (isValid) expect(decodeText(bytes, 'f').encoding).toBe('utf-8');
        else expect(() => decodeText(bytes, 'f')).toThrow(/damaged character at byte 4[1-6]\./);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads an empty file', () => {
    expect(decodeText(new Uint8Array(0), 'f')).toEqual({ text: '', encoding: 'utf-8' });
  });

  it.each([
    ['UTF-32', joined([0xff, 0xfe, 0, 0], [65, 0, 0, 0]), /"f" is UTF-32/],
    ['half a character of UTF-16', joined([0xff, 0xfe], utf16('a', false), [10]), /is UTF-16LE that ends in the middle/],
    ['half a surrogate pair', joined([0xff, 0xfe], utf16('a\ud800b', false)), /UTF-16LE with a damaged character/],
    ['zeros', joined(ascii('abc'), [0, 0, 0, 0]), /is not text: byte 3 is zero/],
    ['sound', Uint8Array.from({ length: 999 }, (_, i) => (i * 7919) % 256), /is not text: byte 0 is zero/],
    ['UTF-8 with a damaged character', joined(ascii('Zoë, Chloë, No'), [0xc3], ascii('l.')), /UTF-8 with a damaged character at byte 16/],
    // "Привет"
    ['windows-1251', [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2], /not UTF-8: byte 0 belongs to another encoding/],
    // "日本語です"
    ['Shift JIS', [0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x82, 0xc5, 0x82, 0xb7], /not UTF-8: byte 0 belongs to another encoding/],
    // "café", "très"
    ['DOS (code page 437 or 850)', joined(ascii('caf'), [0x82]), /not UTF-8: byte 3 belongs to another encoding/],
    ['DOS, another letter', joined(ascii('tr'), [0x8a], ascii('s')), /not UTF-8: byte 2 belongs to another encoding/],
    ['Mac Roman', joined(ascii('caf'), [0x8e]), /not UTF-8: byte 3 belongs to another encoding/],
    ['a byte that windows-1252 lacks', joined(ascii('a'), [0x81], ascii('b')), /not UTF-8: byte 1/],
  ])('refuses %s', (_name, bytes, found) => {
    const read = () => decodeText(Uint8Array.from(bytes), 'f');
    expect(read).toThrow(expect.objectContaining({ code: 'format', remedy: expect.any(String) as string }));
    expect(read).toThrow(found);
  });

  it('decodes any text written as UTF-8, or as UTF-16 with a byte order mark', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && !text.startsWith('\uFEFF')), (text) => {
        expect(decodeText(ascii(text), 'f').text).toBe(text);
        expect(decodeText(joined([0xff, 0xfe], utf16(text, false)), 'f').text).toBe(text);
        expect(decodeText(joined([0xfe, 0xff], utf16(text, true)), 'f').text).toBe(text);
      }),
    );
  });
});
