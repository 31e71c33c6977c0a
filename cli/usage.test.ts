import { expect, test } from 'vitest';
import { nearestName, parsed, parseFlags, UsageError } from './usage';

test.each([
  ['diarise', 'diarize'],
  ['eval', null],
  ['evaluat', 'evaluate'],
  ['scroe', 'score'],
  ['x', null],
])('the nearest command to %s is %s', (name, expected) => {
  expect(nearestName(name, ['diarize', 'score', 'evaluate', 'compare'])).toBe(expected);
});

test('an unknown flag is reported with the nearest one', () => {
  const parse = (flag: string) => () => parseFlags({ args: [flag], options: { speakers: { type: 'string' }, json: { type: 'boolean' } } });
  expect(parse('--speaker=2')).toThrow(/^the flag --speaker does not exist\. Did you mean --speakers\?$/);
  expect(parse('--colour')).toThrow(/^the flag --colour does not exist\. Try --help\.$/);
  expect(parse('--json')().values.json).toBe(true);
});

test.each([
  [['--speakers'], 'the flag --speakers has no value. Expected --speakers VALUE.'],
  [['--speakers', '-2'], 'the value of --speakers is missing, or starts with a dash. Expected --speakers VALUE, or --speakers=VALUE for a value with a dash.'],
  [['--speakers', '--json'], 'the value of --speakers is missing, or starts with a dash. Expected --speakers VALUE, or --speakers=VALUE for a value with a dash.'],
  [['--json=yes'], 'the flag --json has a value. Expected --json alone.'],
  [["it's.wav"], "it's.wav is not a flag. Expected only flags. Try --help."],
])('%j is reported in one line with what was expected', (args, message) => {
  const options = { speakers: { type: 'string' }, json: { type: 'boolean', short: 'j' } } as const;
  expect(() => parseFlags({ args: [...args], options })).toThrow(new Error(message));
});

test('other errors than those about arguments are passed on', () => {
  expect(() => parseFlags({ options: { json: { type: 'number' as never } } })).toThrow(/number|type/);
});

test('a value after = may start with a dash', () => {
  const parse = (flag: string) => () => parseFlags({ args: [flag], options: { speakers: { type: 'string' }, json: { type: 'boolean' } } });
  expect(parse('--speakers=-2')().values.speakers).toBe('-2');
});

test('errors about arguments are distinguished from all others', () => {
  expect(() => parsed(() => { throw new Error('--start is x.'); })).toThrow(UsageError);
  expect(parsed(() => 1)).toBe(1);
});
