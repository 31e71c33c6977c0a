import { describe, expect, it } from 'vitest';
import { withPresentNames } from './formerNames';

const NAMES = { colour: 'color', licence: 'license' };

describe('withPresentNames', () => {
  it('replaces former names at any depth and keeps everything else', () => {
    const before = { speakers: [{ colour: 1, name: 'colour' }], licence: 'MIT', turns: [1, null] };
    expect(withPresentNames(before, NAMES)).toEqual({ speakers: [{ color: 1, name: 'colour' }], license: 'MIT', turns: [1, null] });
    expect(before.licence).toBe('MIT');
  });

  it('leaves texts that look like a field', () => {
    const value = [{ name: '"colour":1' }, '{"colour":1}', { ' colour': 1, colours: 2 }];
    expect(withPresentNames(value, NAMES)).toEqual(value);
  });
});
