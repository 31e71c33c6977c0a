import { describe, expect, it } from 'vitest';
import { UsageError } from '../../cli/usage';
import { HELP, parseCommand } from './options';

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
    const file = 'public/sample.wav';
    const args = [file, file, '--backends', 'webgpu, wasm,webgpu', '--systems=voxlane', '--presets', 'fast', '--rounds=1'];
    expect(parseCommand(args)).toMatchObject({
      files: [file],
      rounds: 1,
      systems: ['voxlane'],
      presets: ['fast'],
      backends: ['webgpu', 'wasm'],
    });
    expect(parseCommand(['-h', '--rounds', 'x'])).toBe('help');
    expect(HELP).toContain('2 for wrong usage');
  });

  it('refuses what would have no effect', () => {
    expect(() => parseCommand(['--systems', 'sherpa-onnx', '--presets', 'fast'])).toThrow('--presets has no effect without voxlane in --systems. Leave it out');
  });

  // The command exits with 2 for a UsageError, before it opens a system.
  it.each([
    [['--rounds', '0'], '--rounds is 0. Expected a whole number of at least 1'],
    [['--rounds', '1.5'], '--rounds is 1.5. Expected a whole number of at least 1'],
    [['--rounds', 'many'], '--rounds is many. Expected a number'],
    [['--rounds'], 'the flag --rounds has no value. Expected --rounds VALUE'],
    [['--round', '2'], 'the flag --round does not exist. Did you mean --rounds?'],
    [['--json=yes'], 'the flag --json has a value. Expected --json alone'],
    [['--backends', 'auto'], '--backends is auto, but auto does not exist. Expected wasm, webgpu, with commas between them'],
    [['--backends', ''], '--backends is "", which has an empty item. Expected wasm, webgpu, with commas between them'],
    [['--systems', 'sherpa'], '--systems is sherpa, but sherpa does not exist. Expected voxlane, sherpa-onnx, with commas between them'],
    [['--presets', 'fast,,exact'], '--presets is "fast,,exact", which has an empty item. Expected auto, exact, fast, campplus, community-1, nemotron, with commas between them'],
    [['--presets', 'quick'], '--presets is quick, but quick does not exist. Expected auto, exact, fast, campplus, community-1, nemotron, with commas between them'],
    [['nothing.wav'], 'nothing.wav does not exist or is not a file. Expected the path of a WAV file'],
    [['public'], 'public does not exist or is not a file. Expected the path of a WAV file'],
  ])('rejects %j', (args, message) => {
    expect(() => parseCommand(args)).toThrow(new UsageError(message));
  });
});
