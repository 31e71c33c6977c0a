/** `evaluate` in a browser. `test/full/evaluateCommand.test.ts` tests it in Node. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { runCommand } from '../../test/browser/command';

test('the browser and Node give the same figures', async () => {
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  for (const name of ['sample.wav', 'sample.rttm']) copyFileSync(join('public', name), join(folder, name));
  const evaluate = (engine: string) => runCommand('evaluate', folder, '--json', '--no-cache', '--engine', engine);
  const browser = await evaluate('browser');
  expect(browser.code, browser.stderr).toBe(0);
  expect(browser.stdout).toBe((await evaluate('node')).stdout);
  rmSync(folder, { recursive: true });
});
