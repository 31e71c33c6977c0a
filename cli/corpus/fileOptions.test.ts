import { expect, test } from 'vitest';
import type { Entry } from './layout';
import { fileOptions, parseRun, recordedOptions } from './runOptions';

const ENTRY: Entry = { id: 'a', recording: 'a', path: '/a.wav', durationSeconds: 20, startSeconds: 5, endSeconds: 15, numSpeakers: 3, shard: 0, bytes: 1, modifiedMs: 1 };

test('the number of speakers of an entry comes before that of the command', () => {
  expect(fileOptions(ENTRY, { maxSpeakers: 2 })).toEqual({ speakers: 3, startSeconds: 5, durationSeconds: 10 });
  expect(fileOptions({ ...ENTRY, numSpeakers: undefined as never }, { maxSpeakers: 2 })).toMatchObject({ maxSpeakers: 2 });
});

test('the record has the options of the run', () => {
  const command = parseRun(['corpus', '--preset', 'nemotron']);
  if (command === 'help') throw new Error('help was not requested');
  const options = { preset: 'nemotron', speed: 'exact', clustering: 'preset', backend: 'auto', speakers: 3, startSeconds: 5, durationSeconds: 10 };
  expect(recordedOptions(ENTRY, command, null)).toEqual(options);
});
