/** The published npm packages: builds every example with its tools. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, ROOT } from '../../test/packages/pack';
import { copyExample } from '../../test/packages/projects';
import { runIn, serveWith } from '../../test/packages/runIn';
import { serveFolders, type StaticServer } from '../../test/packages/servers';
import { expectSampleTurns, expectTurns } from '../../test/packages/shownTurns';
import { expect, test } from '../../test/browser/test';
import { WITHOUT_GPU } from '../../test/browser/withoutGpu';

test.use({ ...WITHOUT_GPU, allowedOrigins: /^http:\/\/(127\.0\.0\.1|localhost):\d+$/ });

/** Servers to stop after a test. */
const running: { stop(): void }[] = [];

test.beforeAll(async () => {
  // Both packages are built, packed and installed first.
  test.setTimeout(300_000);
  await installPackages();
});
test.afterEach(() => {
  for (const each of running.splice(0)) each.stop();
});

/** Serves without headers, like a minimal host. */
async function serve(folders: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<StaticServer> {
  const server = await serveFolders(folders, headers);
  running.push(server);
  return server;
}

/** Path of the `node_modules` folder with the installed packages. */
const nodeModules = async (): Promise<string> => join(await installPackages(), 'node_modules');

test('html: one script tag, no import map, no bundler', async ({ page }) => {
  // The only example that diarizes the whole sample.
  const server = await serve({ '/': await copyExample('html', 'html', 'sample'), '/node_modules/': await nodeModules() });
  await expectSampleTurns(page, server.address);
});

test('import-map: diarize from a plain static server', async ({ page }) => {
  const server = await serve({ '/': await copyExample('import-map'), '/node_modules/': await nodeModules() });
  await expectTurns(page, server.address);
});

for (const name of ['vite', 'react', 'vue']) {
  test(`${name}: the build works in a folder of any server`, async ({ page }) => {
    const folder = await copyExample(name);
    await runIn(folder, 'npm', ['run', 'build']);
    const server = await serve({ '/': join(folder, 'dist') });
    await expectTurns(page, server.address);
    // Only the build is served, without sources and node_modules.
    expect(server.asked.filter((path) => /node_modules|\.tsx?$/.test(path))).toEqual([]);
  });
}

for (const [name, layout] of [
  ['vite', 'its own folder'],
  ['react', 'the folder of a workspace'],
] as const) {
  test(`${name}: the development server needs no settings, with the packages in ${layout}`, async ({ page }) => {
    const folder = await copyExample(name, `${name}-dev`);
    if (layout === 'its own folder') {
      for (const each of ['voxlane', 'voxlane-assets']) {
        cpSync(join(await nodeModules(), each), join(folder, 'node_modules', each), { recursive: true });
      }
    }
    const server = await serveWith(folder, 'npm', ['run', 'dev', '--', '--host', '127.0.0.1']);
    running.push(server);
    await expectTurns(page, server.address);
  });
}

for (const name of ['webpack', 'esbuild']) {
  test(`${name}: without a configuration`, async ({ page }) => {
    const folder = await copyExample(name);
    await runIn(folder, 'npm', ['run', 'build']);
    const server = await serve({ '/': folder });
    await expectTurns(page, server.address);
    expect(server.asked.filter((path) => path.includes('node_modules'))).toEqual([]);
    expect(readFileSync(join(folder, 'dist/main.js'), 'utf8'), 'where it was built').not.toContain(ROOT);
  });
}

test('esbuild: the folder beside the script is found if voxlane-assets is external', async ({ page }) => {
  const folder = await copyExample('esbuild', 'esbuild-external');
  await runIn(folder, 'npx', ['esbuild', 'src/main.js', '--bundle', '--format=esm', '--outdir=dist', '--external:voxlane-assets']);
  await runIn(folder, 'npx', ['voxlane', 'copy', 'dist']);
  const server = await serve({ '/': folder });
  await expectTurns(page, server.address);
  expect(server.asked).toContain('/dist/voxlane/models/segmentation-3.0/model.onnx');
});

for (const name of ['script-tag.html', 'import-map.html']) {
  test(`cdn: ${name}, with both packages on another origin`, async ({ page }) => {
    const packages = await nodeModules();
    const cdn = await serve(
      { '/voxlane@0.2.0/': join(packages, 'voxlane'), '/voxlane-assets@0.2.0/': join(packages, 'voxlane-assets') },
      { 'Access-Control-Allow-Origin': '*' },
    );
    const folder = await copyExample('cdn', `cdn-${name}`);
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('https://cdn.example/', cdn.address));
    const server = await serve({ '/': folder });
    await expectTurns(page, `${server.address}${name}`);
    expect(server.asked.filter((each) => each.includes('voxlane'))).toEqual([]);
  });
}

test('every example has a test: next in next.spec.ts, the others here', () => {
  const examples = readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const tested = ['cdn', 'esbuild', 'html', 'import-map', 'next', 'react', 'vite', 'vue', 'webpack'];
  expect(examples.map(({ name }) => name).sort()).toEqual(tested);
});
