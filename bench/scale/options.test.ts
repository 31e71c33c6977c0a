import { describe, expect, it } from 'vitest';
import { UsageError } from '../../cli/usage';
import { parseCommand, type ScaleCommand } from './options';

describe('parseCommand', () => {
  it('uses the fast preset on WASM up to three hours by default', () => {
    expect(parseCommand([])).toMatchObject({
      minutes: [1, 3, 10, 30, 60, 180],
      preset: 'fast',
      backend: 'wasm',
      seed: 1,
      mp3: false,
      check: false,
      json: false,
    });
    expect((parseCommand([]) as ScaleCommand).files[0]).toBe('public/sample.wav');
  });

  it('sorts lengths and removes duplicates', () => {
    expect(parseCommand(['a.wav', '--minutes', '10, 0.5,10,3', '--seed', '7', '--mp3'])).toMatchObject({
      files: ['a.wav'],
      minutes: [0.5, 3, 10],
      seed: 7,
      mp3: true,
    });
    expect(parseCommand(['-h', '--minutes', 'x'])).toBe('help');
  });

  it.each([
    ['--minutes', '0'],
    ['--minutes', '1,,3'],
    ['--minutes', 'long'],
    ['--backend', 'cuda'],
    ['--seed', '1.5'],
  ])('rejects %s %j with the option and the expected value', (option, value) => {
    expect(() => parseCommand([option, value])).toThrow(UsageError);
    expect(() => parseCommand([option, value])).toThrow(new RegExp(`^${option} is .*\\. Expected`));
  });
});
