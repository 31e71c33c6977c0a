import { describe, expect, it } from 'vitest';
import { decodeTranscript } from './transcript';
import { readTranscript } from './readTranscript';

/** Converts each character to one byte. */
const bytesOf = (latin1: string): Uint8Array => Uint8Array.from(latin1, (letter) => letter.charCodeAt(0));
/** UTF-8 as a string with one character per byte. */
const utf8 = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));
const segment = (text: string, ...tokens: string[]): string => {
  const offsets = '"offsets": { "from": 0, "to": 1000 }';
  return `{ ${offsets}, "text": "${text}", "tokens": [${tokens.map((token) => `{ "text": "${token}", ${offsets} }`).join(', ')}] }`;
};
const file = (...segments: string[]): Uint8Array => bytesOf(`{ "transcription": [${segments.join(', ')}] }`);

describe('decodeTranscript', () => {
  it.each([
    ['你好', ['\xe4\xbd', '\xa0', '\xe5\xa5\xbd']],
    ['ンハ', ['\xe3\x83\xb3\xe3\x83', '\x8f']],
    [' Zoë', [' Zo\xc3', '\xab']],
    [' 🎙️ on', [' \xf0\x9f', '\x8e\x99', '\xef\xb8\x8f', ' on']],
  ])('reads "%s" if whisper.cpp split its characters between tokens', (text, tokens) => {
    const decoded = decodeTranscript(file(segment(utf8(text), ...tokens)), 'f.json');
    expect(decoded.encoding).toBe('utf-8');
    expect(readTranscript('f.json', decoded.text).cues).toMatchObject([{ text: text.trim(), words: [] }]);
  });

  it.each([
    ['a segment that is half a character', file(segment(utf8('Zoë, Chloë')), segment('\xc3'))],
    ['another file', bytesOf(`${utf8('Zoë, Chloë')} \xc3`)],
  ])('rejects %s', (_name, bytes) => {
    expect(() => decodeTranscript(bytes, 'f.json')).toThrow(/"f.json" is UTF-8 with a damaged character at byte \d+/);
  });
});
