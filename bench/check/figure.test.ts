import { describe, expect, it, vi } from 'vitest';
import { check, isOver, lineOf, listText, selectBounds, type Bound, type Group } from './figure';
import { GROUPS } from './groups';

const bound = (changes: Partial<Bound> = {}): Bound => ({
  name: 'wait',
  what: 'duration',
  unit: 's',
  limit: 2,
  side: 'at most',
  reason: 'users do not wait longer',
  ...changes,
});

const group = (name: string, bounds: readonly Bound[], measure: Group['measure']): Group => ({ name, bounds, measure });

const measureOf = (values: Readonly<Record<string, number>>) => vi.fn<Group['measure']>(() => Promise.resolve(values));

/** Two groups: `time` with the figures wait and ratio, and `space` with the figure heap. */
function groupsWith(values: Readonly<Record<string, number>>, measures = [measureOf(values), measureOf(values)]): Group[] {
  const ratio = bound({ name: 'ratio', unit: '', limit: 3, side: 'at least' });
  return [
    group('time', [bound(), ratio], measures[0]!),
    group('space', [bound({ name: 'heap', unit: 'MB', limit: 400 })], measures[1]!),
  ];
}
const GOOD = { wait: 2, ratio: 3, heap: 400 };

async function outcome(groups: readonly Group[], names: readonly string[] = []) {
  const lines: string[] = [];
  const said: string[] = [];
  const exitCode = await check(groups, names, { print: (line) => lines.push(line), say: (line) => said.push(line) });
  return { exitCode, said, lines: lines.map((line) => line.replace(/ +/g, ' ').trim()) };
}

describe('isOver', () => {
  it('accepts values equal to the limit, on either side', () => {
    expect(isOver({ bound: bound(), value: 2 })).toBe(false);
    expect(isOver({ bound: bound(), value: 2.001 })).toBe(true);
    expect(isOver({ bound: bound({ side: 'at least' }), value: 2 })).toBe(false);
    expect(isOver({ bound: bound({ side: 'at least' }), value: 1.999 })).toBe(true);
  });

  it('treats NaN as not measured', () => {
    expect(isOver({ bound: bound(), value: NaN })).toBe(true);
    expect(isOver({ bound: bound({ side: 'at least' }), value: NaN })).toBe(true);
  });
});

describe('lineOf', () => {
  const line = (value: number, changes: Partial<Bound> = {}) => lineOf({ bound: bound(changes), value }).replace(/ +/g, ' ');

  it('contains name, value, limit and verdict', () => {
    expect(line(1.23456)).toBe('wait 1.23 s at most 2 s ok');
    expect(line(2.5)).toBe('wait 2.5 s at most 2 s over');
    expect(line(3.5, { unit: '', side: 'at least' })).toBe('wait 3.5 at least 2 ok');
  });

  it('keeps all digits before the decimal point', () => {
    expect(line(1234.5, { limit: 1500, unit: 'ms' })).toBe('wait 1235 ms at most 1500 ms ok');
    expect(line(0.0456, { limit: 0.08, unit: '' })).toBe('wait 0.0456 at most 0.08 ok');
  });
});

describe('selectBounds', () => {
  const namesOf = (names: readonly string[]) =>
    selectBounds(groupsWith(GOOD), names).map(({ group: { name }, bounds }) => [name, ...bounds.map((one) => one.name)]);

  it('selects everything without names', () => {
    expect(namesOf([])).toEqual([['time', 'wait', 'ratio'], ['space', 'heap']]);
  });

  it('accepts names of figures and groups', () => {
    expect(namesOf(['ratio'])).toEqual([['time', 'ratio']]);
    expect(namesOf(['time', 'ratio'])).toEqual([['time', 'wait', 'ratio']]);
    expect(namesOf(['heap', 'wait'])).toEqual([['time', 'wait'], ['space', 'heap']]);
  });

  it('lists the names if one is unknown', () => {
    expect(() => namesOf(['wait', 'weight'])).toThrow(/no weight\..*\n {2}time: wait, ratio\n {2}space: heap$/s);
  });
});

describe('check', () => {
  it('prints one line per figure and exits with 0 if no limit is exceeded', async () => {
    expect(await outcome(groupsWith(GOOD))).toMatchObject({
      exitCode: 0,
      lines: ['wait 2 s at most 2 s ok', 'ratio 3 at least 3 ok', 'heap 400 MB at most 400 MB ok'],
    });
  });

  it('exits with 1 if a limit is exceeded, and still prints the others', async () => {
    const { exitCode, lines } = await outcome(groupsWith({ ...GOOD, wait: 2.1 }));
    expect(exitCode).toBe(1);
    expect(lines).toEqual(['wait 2.1 s at most 2 s over', 'ratio 3 at least 3 ok', 'heap 400 MB at most 400 MB ok']);
  });

  it('treats a missing figure as exceeding its limit', async () => {
    const { exitCode, lines } = await outcome(groupsWith({ wait: 1, heap: 1 }));
    expect(exitCode).toBe(1);
    expect(lines).toContain('ratio NaN at least 3 over');
  });

  it('measures only the requested groups and prints only the requested figures', async () => {
    const measures = [measureOf({ ...GOOD, wait: 9 }), measureOf(GOOD)];
    expect(await outcome(groupsWith(GOOD, measures), ['ratio'])).toMatchObject({ exitCode: 0, lines: ['ratio 3 at least 3 ok'] });
    expect(measures[0]).toHaveBeenCalledWith(new Set(['ratio']), expect.anything());
    expect(measures[1]).not.toHaveBeenCalled();
  });

  it('measures nothing if a name is unknown', async () => {
    const measures = [measureOf(GOOD), measureOf(GOOD)];
    await expect(outcome(groupsWith(GOOD, measures), ['wait', 'weight'])).rejects.toThrow('no weight');
    for (const measure of measures) expect(measure).not.toHaveBeenCalled();
  });

  it('continues after a group that cannot be measured, and exits with 2, or with 1 if another limit is exceeded', async () => {
    const [time, space] = groupsWith(GOOD);
    const broken = { ...time!, measure: () => Promise.reject(new Error('no browser')) };
    const { exitCode, lines, said } = await outcome([broken, space!]);
    expect(exitCode).toBe(2);
    expect(lines).toEqual(['wait not measured', 'ratio not measured', 'heap 400 MB at most 400 MB ok']);
    expect(said).toContain('time: no browser');
    const [, over] = groupsWith({ ...GOOD, heap: 401 });
    expect((await outcome([broken, over!])).exitCode).toBe(1);
  });

  it('skips figures that this machine cannot measure and prints the reason', async () => {
    const measures = [measureOf(GOOD), measureOf(GOOD)];
    const [time] = groupsWith(GOOD, measures);
    const { exitCode, lines } = await outcome([{ ...time!, unavailable: { wait: 'no clock' } }]);
    expect({ exitCode, lines }).toEqual({ exitCode: 0, lines: ['wait skipped: no clock', 'ratio 3 at least 3 ok'] });
    expect(measures[0]).toHaveBeenCalledWith(new Set(['ratio']), expect.anything());
  });
});

describe('the groups', () => {
  it('have unique names and a reason for each limit', () => {
    const bounds = GROUPS.flatMap((each) => each.bounds);
    const names = [...GROUPS.map(({ name }) => name), ...bounds.map(({ name }) => name)];
    expect(names).toEqual([...new Set(names)]);
    expect(bounds.filter(({ reason, what }) => reason === '' || what === '')).toEqual([]);
    for (const name of names) expect(listText(GROUPS)).toContain(name);
  });

  it('list only existing names as unavailable', () => {
    for (const { bounds, unavailable = {} } of GROUPS) {
      expect(bounds.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(unavailable)));
    }
  });
});
