import { describe, expect, it } from 'vitest';
import { bytesText, clock, count, formatsIn, percent, ratio, rttmUri, span, stem } from './format';

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
  it('formats shares and counts', () => {
    expect([percent(0), percent(0.456), percent(1), percent(0.1234, 1)]).toEqual(['0 %', '46 %', '100 %', '12.3 %']);
    expect([0, 999, 1234567].map(count)).toEqual(['0', '999', '1,234,567']);
  });
  it('writes sizes', () => {
    expect([999, 5_982_085, 1.5e9].map(bytesText)).toEqual(['999 B', '5.98 MB', '1.5 GB']);
  });
  it('formats German numbers', () => {
    const { bytes, clock, count, date, percent, ratio, span } = formatsIn('de');
    expect([clock(3723), clock(83.4, 1)]).toEqual(['1:02:03', '1:23,4']);
    expect([span(0.25), span(200)]).toEqual(['0,3 s', '3 min 20 s']);
    expect([percent(0.456), percent(0.1234, 1)]).toEqual(['46 %', '12,3 %']);
    expect(count(1234567)).toBe('1.234.567');
    expect([1.26, 0.0001].map(ratio)).toEqual(['1,3', '< 0,001']);
    expect(bytes(5_982_085)).toBe('5,98 MB');
    expect(date(Date.UTC(2026, 10, 21, 12))).toBe('21.11.2026');
    expect(formatsIn('en').date(Date.UTC(2026, 10, 21, 12))).toBe('21 Nov 2026');
  });
  it('derives names of files', () => {
    expect(stem('a.b.wav')).toBe('a.b');
    expect(stem('.hidden')).toBe('.hidden');
    expect(rttmUri('my talk  1.mp3')).toBe('my_talk_1');
    expect(rttmUri('')).toBe('recording');
  });
});
