import { describe, expect, it } from 'vitest';
import { cosineText, decibels, exactFigure, figure, figuresIn, measured, shareText, shortFigure } from './figures';
import { placeText } from './text';

describe('figures', () => {
  it('have four digits, or an exponent', () => {
    expect([0.0123456, 12.3456, 1.5e-6, -2e-7, 123456, 0].map(figure)).toEqual(['0.01235', '12.35', '1.50e−6', '−2.00e−7', '1.23e5', '0']);
  });
  it('show missing and non-finite values', () => {
    expect([null, NaN, Infinity, -Infinity].map(figure)).toEqual(['–', 'NaN', '∞', '−∞']);
  });
  it('in a column keep their zeros', () => {
    expect([0.05, 0.0001, 0, null, 1234].map(measured)).toEqual(['0.05000', '1.00e−4', '0', '–', '1234']);
  });
  it('on an axis are short', () => {
    expect([0, 0.01, 1e-6, 2.5e-9, 250, -0.5, 1e5].map(shortFigure)).toEqual(['0', '0.01', '1e−6', '2.5e−9', '250', '−0.5', '1e5']);
  });
  it('of a single value distinguish nearly equal values', () => {
    expect([0.1914, 0.191403].map(exactFigure)).toEqual(['0.1914', '0.191403']);
    expect([NaN, -1.5e-9].map(exactFigure)).toEqual(['NaN', '−1.5e−9']);
  });
});

describe('measures', () => {
  it('100 % means every row', () => {
    expect([1, 0.99999, 0, null].map(shareText)).toEqual(['100.00 %', '99.99 %', '0.00 %', '–']);
  });
  it('the SNR without a difference is infinite, unlike an unknown one', () => {
    expect([decibels(96.33, 1e-6), decibels(null, 0), decibels(null, null)]).toEqual(['96.3', '∞', '–']);
  });
  it('a cosine has the digits of float32', () => {
    expect([0.9999998, -1, null].map(cosineText)).toEqual(['0.9999998', '−1.0000000', '–']);
  });
  it('a place leaves out axes of size 1', () => {
    expect(placeText([0, 12, 331], ['batch', 'channel', 'frame'], [1, 60, 589])).toBe('channel 12, frame 331');
    expect(placeText([1, 2], ['batch'], [2, 3])).toBe('batch 1, axis 1 2');
    expect(placeText([0], ['batch'], [1])).toBe('the only value');
  });
  it('use the decimal separator of the language', () => {
    const { cosineText, decibels, exactFigure, figure, measured, secondsText, shareText, shortFigure } = figuresIn('de');
    expect([0.0123456, -2e-7, 12.3456].map(figure)).toEqual(['0,01235', '−2,00e−7', '12,35']);
    expect([measured(0.05), exactFigure(-1.5e-9), cosineText(-1)]).toEqual(['0,05000', '−1,5e−9', '−1,0000000']);
    expect([1e-6, 2.5e-9, -0.5].map(shortFigure)).toEqual(['1e−6', '2,5e−9', '−0,5']);
    expect([decibels(96.33, 1e-6), shareText(0.5), secondsText(5.62)]).toEqual(['96,3', '50,00 %', '5,620 s']);
  });
});
