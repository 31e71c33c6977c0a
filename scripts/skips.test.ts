/** Each skipped test must have a reason, so that the summary of a run shows what was not tested. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isOfTests } from './clocks';
import { findSkips } from './skips';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'workers', 'cli', 'bench', 'scripts', 'test', 'e2e', 'packages'];

/** It defines how tests are skipped. */
const DEFINITION = 'test/skips.ts';

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1).replaceAll('\\', '/')),
).filter((path) => (isOfTests(path) || path.endsWith('.test.ts')) && !path.includes('node_modules/'));

const skipsIn = (path: string) => findSkips(path, readFileSync(join(ROOT, path), 'utf8'));

it('no test is skipped without a reason', () => {
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((path) => path !== DEFINITION).flatMap(skipsIn)).toEqual([]);
  expect(skipsIn(DEFINITION)).not.toEqual([]);
});

describe('findSkips', () => {
  const inVitest = (line: string) => findSkips('a.test.ts', `import { it } from 'vitest';\n${line}`);
  const inPlaywright = (line: string) => findSkips('a.spec.ts', `import { test } from '@playwright/test';\n${line}`);

  it.each([
    "it.skipIf(process.platform === 'win32')('a', () => {});",
    'describe.runIf(names.length > 0).each(names)((name) => {});',
    "test.skip('a', () => {});",
    "it.skip.each([1])('a', () => {});",
    "it.concurrent.skip('a', () => {});",
    "it.todo('a');",
    "it('a', (context) => { context.skip('a reason that reports lack'); });",
    "it('a', ({ skip }) => { });",
    "const { skip: without } = it;",
    "it['skip']('a', () => {});",
    "xit('a', () => {});",
  ])('finds %s in Vitest', (line) => {
    expect(inVitest(line)).toEqual([{ file: 'a.test.ts', line: 2, text: line }]);
  });

  it.each([
    'test.skip();',
    'test.skip(!hasShared);',
    "test.skip(!hasShared, '');",
    "test.skip('a', async () => {});",
    "test.skip('a', { tag: '@b' }, async () => {});",
    "test.fixme('a', async () => {});",
    "test.describe.skip('a', () => {});",
  ])('finds %s in Playwright', (line) => {
    expect(inPlaywright(line)).toEqual([{ file: 'a.spec.ts', line: 2, text: line }]);
  });

  it('leaves skips with a reason, and words', () => {
    expect(inPlaywright('test.skip(!hasShared, SHARED_MISSING);')).toEqual([]);
    expect(inVitest("itUnless(missing)('skip', () => { call({ skip: 1 }); }); // skip")).toEqual([]);
  });
});
