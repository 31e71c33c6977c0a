import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DIARIZER_RULES } from '../engine/optionRules';
import { PRESETS } from '../engine/settings';
import { VoxlaneError } from '../util/errors';
import { readSettings } from './settings';

// Removed again: files of tests share their globals.
beforeAll(() => { vi.stubGlobal('document', { baseURI: 'https://example.org/page/' }); });
afterAll(() => { vi.unstubAllGlobals(); });

const read = (attributes: Readonly<Record<string, string>>, options = {}): ReturnType<typeof readSettings> =>
  readSettings((name) => attributes[name] ?? null, options);

describe('attributes', () => {
  it('become options and take precedence over the property of the same name', () => {
    expect(read({ preset: 'campplus', speed: 'fast', backend: 'wasm', 'models-base': 'm/', speakers: '3', 'min-duration-on': '0.2', 'min-duration-off': '0' }, { backend: 'webgpu', threads: 2 })).toEqual({
      diarizer: { preset: 'campplus', speed: 'fast', backend: 'wasm', models: 'https://example.org/page/m/', threads: 2 },
      run: { speakers: 3, minDurationOn: 0.2, minDurationOff: 0 },
    });
  });

  it('use the defaults of the library if absent or empty', () => {
    expect(read({ preset: '', speakers: ' ' })).toEqual({ diarizer: {}, run: {} });
  });

  it.each([
    [{ preset: 'best' }, 'preset'],
    [{ speed: 'slow' }, 'speed'],
    [{ backend: 'cpu' }, 'backend'],
    [{ theme: 'blue' }, 'theme'],
    [{ speakers: 'two' }, 'speakers'],
    [{ speakers: '0' }, 'speakers'],
    [{ 'min-speakers': '2.5' }, 'min-speakers'],
    [{ 'min-duration-on': '-1' }, 'min-duration-on'],
    [{ 'min-duration-off': 'half' }, 'min-duration-off'],
    [{ 'max-speakers': '256' }, 'max-speakers'],
    [{ speakers: '2', 'max-speakers': '3' }, 'speakers'],
    [{ 'min-speakers': '4', 'max-speakers': '3' }, 'min-speakers'],
    [{ 'models-base': 'https://[' }, 'models-base'],
    [{ 'models-base': 'javascript:alert(1)' }, 'models-base'],
    [{ 'models-base': 'data:text/plain,' }, 'models-base'],
  ])('are rejected by name if invalid: %o', (attributes, name) => {
    let error: unknown;
    try {
      read(attributes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(VoxlaneError);
    expect(error).toMatchObject({ code: 'options', problem: expect.stringContaining(`attribute ${name} is`) as unknown });
  });

  it('accept every preset', () => {
    expect(DIARIZER_RULES.preset.values).toEqual(expect.arrayContaining(Object.keys(PRESETS)));
  });
});
