/** `evaluate` in a browser. `test/full/evaluateCommand.test.ts` tests it in Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { sampleWav } from '../../test/audio/sampleWav';
import { runCommand } from '../../test/browser/command';

test('the browser and Node give the same figures', async () => {
  test.setTimeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  // Two windows.
  writeFileSync(join(folder, 'clip.wav'), sampleWav(7, 11));
  writeFileSync(join(folder, 'clip.rttm'), 'SPEAKER clip 1 0 5 <NA> <NA> a <NA> <NA>\nSPEAKER clip 1 5 6 <NA> <NA> b <NA> <NA>\n');
  const evaluate = (engine: string) => runCommand('evaluate', folder, '--json', '--no-cache', '--engine', engine);
  const browser = await evaluate('browser');
  expect(browser.code, browser.stderr).toBe(0);
  expect(browser.stdout).toBe((await evaluate('node')).stdout);
  rmSync(folder, { recursive: true });
});
