/**
 * The example for Next.js: its build, the rendered page, a run on the server and one in the browser. Next.js is large, so
 * it is not a dependency: `VOXLANE_NEXT` names a folder with `next`, `react`, `react-dom` and `typescript` in its
 * `node_modules`.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleWav } from '../../test/audio/sampleWav';
import { installPackages, ROOT } from '../../test/packages/pack';
import { runIn, serveWith, type RunningServer } from '../../test/packages/runIn';
import { expectTurns } from '../../test/packages/shownTurns';
import type { Turn } from '../../src/timeline/turns';
import { expect, test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

const NEXT = process.env.VOXLANE_NEXT;

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/(127\.0\.0\.1|localhost):\d+$/ });
test.skip(NEXT === undefined, 'VOXLANE_NEXT names no folder with Next.js');
test.describe.configure({ mode: 'serial' });

let folder: string;
let server: RunningServer | undefined;

test.beforeAll(async () => {
  test.setTimeout(600_000);
  const packages = await installPackages();
  // Inside the folder of Next.js, because Turbopack reads no files outside the root of a project.
  folder = join(NEXT!, 'voxlane-example');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'examples/next'), folder, { recursive: true });
  for (const name of ['voxlane', 'voxlane-assets']) cpSync(join(packages, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  mkdirSync(join(folder, 'public'));
  writeFileSync(join(folder, 'public/sample.wav'), sampleWav(7, 8));
  const { version } = JSON.parse(readFileSync(join(NEXT!, 'node_modules/next/package.json'), 'utf8')) as { readonly version: string };
  console.log(`Next.js ${version}`);
  const environment = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
  const program = join(NEXT!, 'node_modules/.bin/next');
  await runIn(folder, program, ['build'], environment);
  server = await serveWith(folder, program, ['start', '--hostname', '127.0.0.1', '--port', '0'], environment);
});

test.afterAll(() => {
  server?.stop();
});

test('the page is rendered on the server', async () => {
  expect(existsSync(join(folder, '.next/server/app/index.html')), 'rendered by the build').toBe(true);
  const html = await (await fetch(server!.address)).text();
  expect(html).toContain('<voxlane-diarizer></voxlane-diarizer>');
});

test('a route diarizes on the server', async () => {
  const response = await fetch(`${server!.address}api/diarize`, { method: 'POST', body: new Blob([new Uint8Array(sampleWav(7, 8))]) });
  const turns = (await response.json()) as Turn[];
  expect(new Set(turns.map(({ speaker }) => speaker))).toEqual(new Set(['SPEAKER_00', 'SPEAKER_01']));
});

test('the component diarizes in the browser', async ({ page }) => {
  await expectTurns(page, server!.address);
});
