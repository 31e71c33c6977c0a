import { describe, expect, it } from 'vitest';
import { parseCommand } from './options';

describe('parseCommand', () => {
  it('measures the sample with both presets and all available backends by default', () => {
    expect(parseCommand([])).toEqual({
      files: ['public/sample.wav'],
      rounds: 3,
      systems: ['voxlane', 'sherpa-onnx'],
      presets: ['exact', 'fast'],
      backends: null,
      json: false,
    });
  });

  it('accepts lists and removes duplicates', () => {
    const args = ['a.wav', 'a.wav', '--backends', 'webgpu, wasm,webgpu', '--systems=voxlane', '--presets', 'fast', '--rounds=1'];
    expect(parseCommand(args)).toMatchObject({
      files: ['a.wav'],
      rounds: 1,
      systems: ['voxlane'],
      presets: ['fast'],
      backends: ['webgpu', 'wasm'],
    });
    expect(parseCommand(['-h', '--rounds', 'x'])).toBe('help');
  });

  it.each([
    ['--rounds', '0'],
    ['--rounds', '1.5'],
    ['--rounds', 'many'],
    ['--backends', 'auto'],
    ['--backends', ''],
    ['--systems', 'sherpa'],
  ])('rejects %s %j with the option and the expected value', (option, value) => {
    expect(() => parseCommand([option, value])).toThrow(new RegExp(`^${option} is ${value}\\. Expected`));
  });
});
