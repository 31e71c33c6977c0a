import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { skipping } from '../test/skips';
import { addTallies, failuresOf, NO_TESTS, readPlaywright, readVitest, skipLines } from './testReports';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-reports-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

function write(name: string, report: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(report));
  return file;
}

/** Titles under which the helper of tests defines skipped tests. */
function titlesOf(reason: string): [direct: string, each: string] {
  const titles: string[] = [];
  const register = (title: string): void => { titles.push(title); };
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const define = skipping(Object.assign(register, { each: () => register }), reason);
  define('adds', () => undefined);
  define.each()('adds %i');
  expect(log.mock.calls).toEqual([[`skipped: adds: ${reason}`], [`skipped: adds %i: ${reason}`]]);
  log.mockRestore();
  return titles as [string, string];
}

describe('readVitest', () => {
  const [inTitle, inEach] = titlesOf('the disk is 90% full [now]');
  const file = write('vitest.json', {
    numPassedTests: 1,
    numFailedTests: 1,
    testResults: [
      { assertionResults: [{ ancestorTitles: [''], title: 'a', status: 'passed' }, { ancestorTitles: [''], title: 'b', status: 'failed' }] },
      {
        assertionResults: [
          { ancestorTitles: ['', inTitle], title: 'c', status: 'skipped' },
          { ancestorTitles: [''], title: inTitle, status: 'pending' },
          { ancestorTitles: ['', 'group'], title: 'd', status: 'skipped' },
          { ancestorTitles: [''], title: 'e', status: 'todo' },
        ],
      },
    ],
  });

  it('counts skipped tests for each reason, and those without a reason as failed', () => {
    const tally = readVitest(file)!;
    expect(tally).toEqual({ passed: 1, failed: 3, skipped: 2, reasons: new Map([['the disk is 90% full [now]', 2]]), unexplained: ['group › d', 'e'] });
    expect(skipLines(tally)).toEqual([
      '2 skipped: the disk is 90% full [now]',
      'failed: skipped without a reason: group › d',
      'failed: skipped without a reason: e',
    ]);
  });

  it('the titles of `each` are formats', () => {
    expect(inEach).toBe('adds %i [skipped: the disk is 90%% full [now]]');
  });

  it('is null without a report', () => {
    expect(readVitest(join(folder, 'absent.json'))).toBeNull();
  });
});

it('readPlaywright counts skipped tests of nested suites', () => {
  const test = (status: string, ...annotations: object[]) => ({ title: 'a', tests: [{ status, annotations }] });
  const file = write('playwright.json', {
    stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 3 },
    suites: [
      { specs: [test('skipped', { type: 'skip', description: 'no folder' }), test('expected')] },
      { suites: [{ specs: [test('skipped', { type: 'skip', description: 'no folder' }), test('skipped', { type: 'skip' })] }] },
    ],
  });
  expect(readPlaywright(file)).toEqual({ passed: 4, failed: 2, skipped: 2, reasons: new Map([['no folder', 2]]), unexplained: ['a'] });
});

it('sums add the counts of equal reasons', () => {
  const one = { ...NO_TESTS, passed: 1, skipped: 2, reasons: new Map([['no folder', 2]]) };
  const other = { ...NO_TESTS, failed: 1, skipped: 4, reasons: new Map([['no folder', 3], ['no disk', 1]]) };
  const sum = addTallies(one, other);
  expect(sum).toEqual({ passed: 1, failed: 1, skipped: 6, reasons: new Map([['no folder', 5], ['no disk', 1]]), unexplained: [] });
  expect(skipLines(sum)).toEqual(['5 skipped: no folder', '1 skipped: no disk']);
});

it('a run fails if a test failed, if it crashed, and if no test ran', () => {
  const passed = { ...NO_TESTS, passed: 2, skipped: 1 };
  expect(failuresOf(passed, 0)).toBe(0);
  expect(failuresOf(passed, 1)).toBe(1);
  expect(failuresOf({ ...passed, failed: 3 }, 1)).toBe(3);
  expect(failuresOf({ ...NO_TESTS, skipped: 20 }, 0)).toBe(1);
  expect(failuresOf(null, 0)).toBe(1);
});
