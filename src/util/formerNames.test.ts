import { describe, expect, it } from 'vitest';
import { withPresentNames } from './formerNames';

const NAMES = { colour: 'color', licence: 'license' };

describe('withPresentNames', () => {
  it('replaces former names at any depth and keeps everything else', () => {
    const before = { speakers: [{ colour: 1, name: 'colour' }], licence: 'MIT', turns: [1, null] };
    expect(withPresentNames(before, NAMES)).toEqual({ speakers: [{ color: 1, name: 'colour' }], license: 'MIT', turns: [1, null] });
    expect(before.licence).toBe('MIT');
  });

  it('returns data without former names itself', () => {
    const value = { speakers: [{ color: 1 }], turns: [{ startSeconds: 0 }] };
    expect(withPresentNames(value, NAMES)).toBe(value);
  });

  it('prefers the present name if both are there', () => {
    expect(withPresentNames({ color: 2, colour: 1 }, NAMES)).toEqual({ color: 2, colour: 1 });
  });

  it('ignores names of the prototype', () => {
    const value = { toString: 1, constructor: 2 };
    expect(withPresentNames(value, NAMES)).toBe(value);
  });
});
