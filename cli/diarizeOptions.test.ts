import { expect, test } from 'vitest';
import { HELP, parseCommand, type DiarizeCommand } from './diarizeOptions';

test('a speed given as preset selects the automatic preset with that speed', () => {
  const chosen = (...args: string[]) => {
    const { preset, speed } = parseCommand(['a.wav', ...args]) as DiarizeCommand;
    return [preset, speed];
  };
  expect(chosen()).toEqual(['auto', 'exact']);
  expect(chosen('--preset', 'fast')).toEqual(['auto', 'fast']);
  expect(chosen('--preset', 'exact', '--speed', 'exact')).toEqual(['auto', 'exact']);
  expect(chosen('--preset', 'campplus', '--speed', 'fast')).toEqual(['campplus', 'fast']);
  expect(() => chosen('--preset', 'fast', '--speed', 'exact')).toThrow(/--preset fast and --speed exact/);
  expect(() => chosen('--speed', 'slow')).toThrow(/--speed is slow\. Expected exact or fast/);
});

test('a mode is passed by name, to the run', () => {
  expect(parseCommand(['a.wav', '--preset', 'nemotron', '--streaming-mode', 'low_latency'])).toMatchObject({ options: { streamingMode: 'low_latency' } });
});

test('omitted options stay absent', () => {
  expect(parseCommand(['a.wav', '--speakers', '3'])).toMatchObject({ options: { speakers: 3 }, backend: 'auto' });
  expect(Object.keys((parseCommand(['a.wav']) as { options: object }).options)).toEqual([]);
});

test('formats are given with commas or one by one, each once', () => {
  const formats = (...args: string[]) => (parseCommand(['a.wav', '--out', 'r', ...args]) as DiarizeCommand).formats;
  expect(formats()).toEqual(['rttm']);
  expect(formats('--format', 'json,rttm', '--format', 'eaf', '--format', 'json')).toEqual(['json', 'rttm', 'eaf']);
  expect(() => formats('--format', 'rttm,doc')).toThrow(/^--format is doc\. Expected rttm or exclusive-rttm or json/);
  expect(() => parseCommand(['a.wav', '--format', 'rttm,json'])).toThrow(/several formats need a folder/);
  expect(parseCommand(['a.wav', '--format', 'rttm,json', '--json'])).toMatchObject({ formats: ['rttm', 'json'], out: undefined });
  expect(() => parseCommand(['a.wav', '--skip-existing'])).toThrow(/--skip-existing needs a folder/);
});

test.each([
  [['--speakers', '0'], '--speakers is 0. Expected a whole number from 1 to 255.'],
  [['--speakers', '2', '--max-speakers', '3'], '--speakers is 2. Expected no --min-speakers or --max-speakers with it: an exact number needs no bounds.'],
  [['--min-speakers', '3', '--max-speakers', '2'], '--min-speakers is 3. Expected at most --max-speakers, 2.'],
  [['--start=-1'], '--start is -1. Expected a finite number, 0 or more.'],
  [['--duration', '0'], '--duration is 0. Expected a finite number above 0.'],
  [['--min-duration-on=-2'], /^--min-duration-on is -2\. Expected a number of seconds from 0 to/],
  [['--streaming-mode', 'fast'], '--streaming-mode is fast. Expected offline, low_latency, very_low_latency or ultra_low_latency.'],
  [['--backend', 'wasm', '--trust-gpu'], '--trust-gpu has no effect with --backend wasm. Leave it out.'],
  [['--quiet', '--progress'], '--progress has no effect with --quiet. Leave it out.'],
  [['--format', 'json', '--exclusive'], '--exclusive has no effect with --format json, which always has both kinds of turns. Leave it out.'],
  [['--preset', 'campplus', '--hub', 'http://localhost'], '--hub has no effect with the preset campplus, whose models are bundled. Leave it out.'],
  [['--preset', 'campplus', '--trust-model'], '--trust-model has no effect with the preset campplus and without --model. Leave it out.'],
  [['--hub', 'models'], '--hub is models. Expected an address starting with http:// or https://.'],
  [['--hub', 'file:///models'], '--hub is file:///models. Expected an address starting with http:// or https://.'],
] as const)('%j is rejected before a browser starts', (args, message) => {
  expect(() => parseCommand(['a.wav', ...args])).toThrow(message);
});

test('the help describes each flag beside it, or below it if the flag is long', () => {
  const lines = HELP.split('\n');
  expect(lines).toContain('  --speed exact|fast           exact (default) embeds every window; fast embeds every fifth or tenth window');
  expect(lines).toContain('  --speakers N                 exact number of speakers');
  expect(lines).toContain('  --trust-gpu                  use the GPU without its self-check');
  const long = lines.indexOf('  --clustering preset|pyannote-3.1');
  expect(lines[long + 1]).toBe('                               clustering settings of the preset (default) or of pyannote, for comparisons');
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});
