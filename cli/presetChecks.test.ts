import { expect, test, vi } from 'vitest';
import { parseRun } from './corpus/runOptions';
import { run } from './diarize';
import { parseDiarize } from './presetChecks';

const LACKED: readonly (readonly [string[], string])[] = [
  [['--speed', 'fast'], '--speed is fast. Expected with the preset nemotron, exact'],
  [['--clustering', 'pyannote-3.1'], '--clustering is pyannote-3.1. Expected with the preset nemotron, preset: it has only its own.'],
];

test.each(LACKED)('nemotron has no %j: diarize and corpus run say so before anything is loaded', (args, message) => {
  expect(() => parseDiarize(['a.wav', '--preset', 'nemotron', ...args])).toThrow(message);
  expect(() => parseRun(['corpus', '--preset', 'nemotron', ...args])).toThrow(message);
  // The other presets have all of them.
  for (const preset of ['auto', 'campplus', 'community-1']) {
    expect(parseDiarize(['a.wav', '--preset', preset, ...args])).toMatchObject({ preset });
    expect(parseRun(['corpus', '--preset', preset, ...args])).toMatchObject({ diarize: { preset } });
  }
});

test('nemotron accepts a number of speakers, minimum durations, and a part of the recording', () => {
  const args = ['--min-speakers', '2', '--max-speakers', '12', '--min-duration-on', '0.2', '--start', '3', '--trust-model'];
  for (const parse of [parseDiarize, parseRun]) expect(parse(['a', '--preset', 'nemotron', '--speakers', '9'])).not.toBe('help');
  expect(parseDiarize(['a.wav', '--preset', 'nemotron', ...args])).toMatchObject({ preset: 'nemotron', options: { minSpeakers: 2, maxSpeakers: 12, startSeconds: 3 } });
});

test.each(['auto', 'campplus', 'community-1'])('%s has no streaming modes', (preset) => {
  const args = ['--preset', preset, '--streaming-mode', 'low_latency'];
  const message = `--streaming-mode is low_latency. Expected with the preset ${preset}, offline`;
  expect(() => parseDiarize(['a.wav', ...args])).toThrow(message);
  expect(() => parseRun(['corpus', ...args])).toThrow(message);
  expect(parseDiarize(['a.wav', '--preset', preset, '--streaming-mode', 'offline'])).toMatchObject({ preset });
});

test('a corpus with nemotron has no batches, and one thread per worker', () => {
  const parse = (...args: string[]) => parseRun(['corpus', '--preset', 'nemotron', ...args]);
  expect(() => parse('--batch', '4')).toThrow('--batch is 4. Expected with the preset nemotron, no --batch: it has no windows.');
  expect(() => parse('--threads', '2')).toThrow('--threads is 2. Expected 1, or no --threads, with the preset nemotron');
  expect(parse('--threads', '1', '--workers', '2')).toMatchObject({ threads: 1, workers: 2 });
  expect(parseRun(['corpus', '--batch', '4', '--threads', '2'])).toMatchObject({ threads: 2, batch: 4 });
});

test('it is wrong usage', async () => {
  const lines: unknown[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(line) > 0);
  expect(await run(['absent.wav', '--preset', 'nemotron', '--speed', 'fast'])).toBe(2);
  vi.restoreAllMocks();
  expect(lines).toEqual([expect.stringContaining('--speed is fast')]);
});
