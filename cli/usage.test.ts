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
  expect(parse('--speakers')).toThrow(/argument missing/);
  expect(parse('--json')().values.json).toBe(true);
});

test('errors about arguments are distinguished from all others', () => {
  expect(() => parsed(() => { throw new Error('--start is x.'); })).toThrow(UsageError);
  expect(parsed(() => 1)).toBe(1);
});
