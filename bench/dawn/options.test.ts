import { expect, it } from 'vitest';
import { UsageError } from '../../cli/usage';
import { checkWindows, helpOf, parseCommand as parseFor } from './options';

const CLONE = { usage: 'npm run bench:gpu --', canPair: true };
const PACKED = { usage: './run.sh', canPair: false };
const parseCommand = (args: readonly string[]) => parseFor(args, CLONE);

it('measures 10 and 60 minutes at both speeds by default', () => {
  expect(parseCommand([])).toEqual({ seconds: [600, 3600], speeds: ['fast', 'exact'], trustGpu: false, estimate: false, pair: null, json: false });
});

it('reads lengths and speeds, in order and once each', () => {
  expect(parseCommand(['--minutes', '60,0.5,60', '--speed=exact,fast'])).toMatchObject({ seconds: [30, 3600], speeds: ['fast', 'exact'] });
  expect(parseCommand(['--seconds', '11', '--speed', 'exact', '--json', '--trust-gpu'])).toEqual({
    seconds: [11],
    speeds: ['exact'],
    trustGpu: true,
    estimate: false,
    pair: null,
    json: true,
  });
});

it('reads the sizes of a paired run', () => {
  expect(parseCommand(['--pair'])).toMatchObject({ pair: { numWindows: 1, numRounds: 5 }, json: false });
  expect(helpOf(CLONE)).toContain('(default 5)');
  expect(parseCommand(['--pair', '--windows', '2', '--rounds=5', '--json'])).toMatchObject({ pair: { numWindows: 2, numRounds: 5 }, json: true });
});

it('lists every option in the help', () => {
  expect(parseCommand(['--seconds', 'x', '--help'])).toBe('help');
  for (const flag of ['minutes', 'seconds', 'speed', 'trust-gpu', 'pair', 'windows', 'rounds', 'estimate', 'json', 'help']) expect(helpOf(CLONE)).toContain(`\n  --${flag} `);
});

it.each([
  [['--minute', '5'], 'the flag --minute does not exist. Did you mean --minutes?'],
  [['--minutes', 'ten'], '--minutes is ten, but ten is not a number. Expected numbers with commas between them, for example 10,60'],
  [['--minutes', '0'], '--minutes is 0. Expected lengths of at least 1 s, for example 0.5 for half a minute'],
  [['--minutes=-3'], '--minutes is -3. Expected lengths of at least 1 s, for example 0.5 for half a minute'],
  [['--minutes', '-3'], 'the value of --minutes is missing, or starts with a dash. Expected --minutes VALUE, or --minutes=VALUE for a value with a dash'],
  [['--minutes', '1500'], '--minutes is 1500. Expected lengths of at most 1440, a day'],
  [['--minutes', 'Infinity'], '--minutes is Infinity, but Infinity is not a number. Expected numbers with commas between them, for example 10,60'],
  [['--seconds', '0.5'], '--seconds is 0.5. Expected lengths of at least 1 s'],
  [['--seconds', '90000'], '--seconds is 90000. Expected lengths of at most 86400, a day'],
  [['--seconds', '11,,5'], '--seconds is "11,,5", which has an empty item. Expected numbers with commas between them, for example 11'],
  [['--seconds', ''], '--seconds is "", which has an empty item. Expected numbers with commas between them, for example 11'],
  [['--seconds', '11 5'], '--seconds is 11 5, but 11 5 is not a number. Expected numbers with commas between them, for example 11'],
  [['--seconds'], 'the flag --seconds has no value. Expected --seconds VALUE'],
  [['11'], '11 is not a flag. Expected only flags. Try --help'],
  [['--json=yes'], 'the flag --json has a value. Expected --json alone'],
  [['--seconds', '11', '--minutes', '10'], '--minutes and --seconds exclude each other. Expected one of them'],
  [['--speed', 'fast,slow'], '--speed is fast,slow, but slow does not exist. Expected fast, exact, with commas between them'],
  [['--speed', 'fast,'], '--speed is "fast,", which has an empty item. Expected fast, exact, with commas between them'],
  [['--estimate', '--trust-gpu'], '--estimate and --trust-gpu exclude each other. Expected one of them'],
  [['--estimate', '--pair'], '--pair and --estimate exclude each other. Expected one of them'],
  [['--pair', '--seconds', '11'], '--pair and --seconds exclude each other. Expected one of them'],
  [['--pair', '--trust-gpu'], '--pair and --trust-gpu exclude each other. Expected one of them'],
  [['--windows', '2'], '--windows needs --pair'],
  [['--pair', '--windows', '0'], '--windows is 0. Expected a whole number of at least 1'],
  [['--pair', '--rounds', '1.5'], '--rounds is 1.5. Expected a whole number of at least 1'],
])('rejects %j', (args, message) => {
  expect(() => parseCommand(args)).toThrow(new UsageError(message));
});

it('rejects a batch that does not fit the sample', () => {
  expect(() => { checkWindows(22, 21); }).toThrow(new UsageError('--windows is 22. Expected at most 21, the windows of the sample.'));
  expect(() => { checkWindows(21, 21); }).not.toThrow();
});

it('has neither the option nor the help of a paired run in the packed folder', () => {
  const help = helpOf(PACKED);
  expect(help).toMatch(/^Usage: \.\/run\.sh \[options\]\n/);
  expect(help).not.toMatch(/npm|pair|--windows|--rounds/i);
  expect(help).toContain('\n  --estimate ');
  for (const args of [['--pair'], ['--windows', '2'], ['--rounds', '2']]) expect(() => parseFor(args, PACKED)).toThrow(UsageError);
  expect(() => parseFor(['--pair'], PACKED)).toThrow(/^--pair works only in a clone of the repository, .* Start npm run bench:gpu -- --pair there/);
});
