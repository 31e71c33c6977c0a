import { expect, it } from 'vitest';
import { UsageError } from '../../cli/usage';
import { HELP, parseCommand } from './options';

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
  expect(parseCommand(['--pair'])).toMatchObject({ pair: { numWindows: 1, numRounds: 3 }, json: false });
  expect(parseCommand(['--pair', '--windows', '2', '--rounds=5', '--json'])).toMatchObject({ pair: { numWindows: 2, numRounds: 5 }, json: true });
});

it('lists every option in the help', () => {
  expect(parseCommand(['--seconds', 'x', '--help'])).toBe('help');
  for (const flag of ['minutes', 'seconds', 'speed', 'trust-gpu', 'pair', 'windows', 'rounds', 'estimate', 'json', 'help']) expect(HELP).toContain(`\n  --${flag} `);
});

it.each([
  [['--minute', '5'], 'the flag --minute does not exist. Did you mean --minutes?'],
  [['--minutes', 'ten'], '--minutes is ten. Expected a number'],
  [['--seconds', '0.5'], '--seconds is 0.5. Expected lengths of at least 1 s'],
  [['--seconds', '11', '--minutes', '10'], '--minutes and --seconds exclude each other. Expected one of them'],
  [['--speed', 'fast,slow'], '--speed is fast,slow. Expected fast, exact, or both with a comma'],
  [['--pair', '--seconds', '11'], '--pair and --seconds exclude each other. Expected one of them'],
  [['--pair', '--trust-gpu'], '--pair and --trust-gpu exclude each other. Expected one of them'],
  [['--windows', '2'], '--windows needs --pair'],
  [['--pair', '--windows', '0'], '--windows is 0. Expected a whole number of at least 1'],
  [['--pair', '--rounds', '1.5'], '--rounds is 1.5. Expected a whole number of at least 1'],
])('rejects %j', (args, message) => {
  expect(() => parseCommand(args)).toThrow(new UsageError(message));
});
