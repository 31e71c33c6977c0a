import { describe, expect, it } from 'vitest';
import { clock, ratio, rttmUri, span, stem } from './format';

describe('format', () => {
  it('writes times', () => {
    expect(clock(0)).toBe('0:00');
    expect(clock(59.999, 2)).toBe('1:00.00');
    expect(clock(83.4, 1)).toBe('1:23.4');
    expect(clock(3723)).toBe('1:02:03');
    expect(clock(-1)).toBe('0:00');
  });
  it('writes lengths', () => {
    expect(span(0.25)).toBe('0.3 s');
    expect(span(59.6)).toBe('1 min');
    expect(span(200)).toBe('3 min 20 s');
    expect(span(3900)).toBe('1 h 5 min');
  });
  it('writes factors', () => {
    expect([12.3, 1.26, 0.126, 0.0126, 0.0001].map(ratio)).toEqual(['12', '1.3', '0.13', '0.013', '< 0.001']);
  });
  it('makes names of files', () => {
    expect(stem('a.b.wav')).toBe('a.b');
    expect(stem('.hidden')).toBe('.hidden');
    expect(rttmUri('my talk  1.mp3')).toBe('my_talk_1');
    expect(rttmUri('')).toBe('recording');
  });
});
