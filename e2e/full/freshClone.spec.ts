/** Runs the README's first command in a clean clone after `npm ci`. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from '../../test/browser/test';
import { sampleWav } from '../../test/audio/sampleWav';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

// Allow the separate server.
test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/localhost:\d+$/ });

let folder: string;
let server: ChildProcess | undefined;

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-clone-'));
});
test.afterEach(() => {
  if (server?.pid !== undefined) process.kill(-server.pid);
  rmSync(folder, { recursive: true, force: true });
});

test('npm start serves the isolated app, which finds the two speakers of a clip', async ({ page }) => {
  test.setTimeout(600_000);
  execFileSync('git', ['clone', '--quiet', '.', folder]);
  // Link the modules that `npm ci` has installed.
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  // A separate process group lets child processes of npm end with it.
  server = spawn('npm start', { cwd: folder, shell: true, detached: true });
  const address = await new Promise<string>((resolve, reject) => {
    let output = '';
    const read = (data: Buffer) => {
      output += data.toString();
      // Vite colors its output.
      // eslint-disable-next-line no-control-regex
      const match = /http:\/\/localhost:\d+\//.exec(output.replace(/\u001b\[\d+m/g, ''));
      if (match) resolve(match[0]);
    };
    server?.stdout?.on('data', read);
    server?.stderr?.on('data', read);
    server?.on('exit', () => {
      reject(new Error(`it ended before it served:\n${output}`));
    });
  });
  // One window of the sample. Other tests run it whole.
  await page.route('**/sample.wav', (route) => route.fulfill({ contentType: 'audio/wav', body: sampleWav(7, 8) }));
  await page.goto(address);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await page.getByTestId('try-sample').click();
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  await expect(page.getByTestId('speaker-row')).toHaveCount(2);
});
