import { expect, it } from 'vitest';
import { UsageError } from '../../cli/usage';
import { HELP, parseCommand } from './options';

it('measures 10 and 60 minutes at both speeds by default', () => {
  expect(parseCommand([])).toEqual({ seconds: [600, 3600], speeds: ['fast', 'exact'], trustGpu: false, estimate: false, json: false });
});

it('reads lengths and speeds, in order and once each', () => {
  expect(parseCommand(['--minutes', '60,0.5,60', '--speed=exact,fast'])).toMatchObject({ seconds: [30, 3600], speeds: ['fast', 'exact'] });
  expect(parseCommand(['--seconds', '11', '--speed', 'exact', '--json', '--trust-gpu'])).toEqual({
    seconds: [11],
    speeds: ['exact'],
    trustGpu: true,
    estimate: false,
    json: true,
  });
});

it('lists every option in the help', () => {
  expect(parseCommand(['--seconds', 'x', '--help'])).toBe('help');
  for (const flag of ['minutes', 'seconds', 'speed', 'trust-gpu', 'estimate', 'json', 'help']) expect(HELP).toContain(`\n  --${flag} `);
});

it.each([
  [['--minute', '5'], 'the flag --minute does not exist. Did you mean --minutes?'],
  [['--minutes', 'ten'], '--minutes is ten. Expected a number'],
  [['--seconds', '0.5'], '--seconds is 0.5. Expected lengths of at least 1 s'],
  [['--seconds', '11', '--minutes', '10'], '--minutes and --seconds exclude each other. Expected one of them'],
  [['--speed', 'fast,slow'], '--speed is fast,slow. Expected fast, exact, or both with a comma'],
])('rejects %j', (args, message) => {
  expect(() => parseCommand(args)).toThrow(new UsageError(message));
});
