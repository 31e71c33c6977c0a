/** The packed packages in server builds of Vite: rendering, and the engine for Node. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, createServer, type InlineConfig } from 'vite';
import { beforeAll, expect, test } from 'vitest';
import { sampleWav } from '../audio/sampleWav';
import { installPackages } from '../packages/pack';
import { runIn } from '../packages/runIn';

/** Imports every entry. */
const ENTRY = `import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { Diarizer } from 'voxlane';
import { readBundle } from 'voxlane/compare';
import { parseRttm, toRttm } from 'voxlane/formats';
import { VoxlaneDiarizer } from 'voxlane/react';
import { diarizationErrorRate } from 'voxlane/score';
import { VoxlaneDiarizerElement } from 'voxlane/widget';

export function render() {
  const turns = parseRttm(toRttm([{ startSeconds: 0, endSeconds: 1, speaker: 'a' }], 'talk')).get('talk');
  return {
    html: renderToString(createElement(VoxlaneDiarizer, { className: 'wide', speakers: 2, result: turns }, createElement('p', { slot: 'footer' }, 'Local'))),
    der: diarizationErrorRate(turns, turns).der,
    types: [Diarizer, readBundle, VoxlaneDiarizerElement].map((each) => typeof each),
  };
}

export async function countSpeakers(path) {
  const diarizer = await Diarizer.create({ preset: 'fast', backend: 'wasm' });
  try {
    const { turns } = await diarizer.diarize(path);
    return new Set(turns.map(({ speaker }) => speaker)).size;
  } finally {
    diarizer.dispose();
  }
}
`;

/** Prints what the functions of a build give, or the code and the problem of an error. */
const SERVER = `const { render, countSpeakers } = await import(process.argv[2]);
const speakers = await countSpeakers('clip.wav').catch(({ code, problem }) => ({ code, problem }));
console.log(JSON.stringify({ ...render(), hasDocument: 'document' in globalThis, speakers }));
`;

const RENDERED = {
  html: '<voxlane-diarizer class="wide"><p slot="footer">Local</p></voxlane-diarizer>',
  der: 0,
  types: ['function', 'function', 'function'],
};

let folder: string;
let config: InlineConfig;

beforeAll(async () => {
  folder = join(await installPackages(), 'server-rendering');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'entry.js'), ENTRY);
  writeFileSync(join(folder, 'server.mjs'), SERVER);
  // Both speakers of the sample.
  writeFileSync(join(folder, 'clip.wav'), sampleWav(9, 4));
  config = { configFile: false, root: folder, logLevel: 'error' };
}, 600_000);

/** Builds the entry for a server and runs it in a process of its own. */
async function buildAndRun(outDir: string, ssr: NonNullable<InlineConfig['ssr']>): Promise<unknown> {
  await build({ ...config, ssr, build: { ssr: 'entry.js', outDir } });
  const entry = ['entry.mjs', 'entry.js'].map((name) => join(folder, outDir, name)).find((path) => existsSync(path));
  const { stdout } = await runIn(folder, process.execPath, ['server.mjs', pathToFileURL(entry!).href]);
  return JSON.parse(stdout);
}

test('vite build --ssr: renders the component and diarizes', async () => {
  expect(await buildAndRun('dist', {})).toEqual({ ...RENDERED, hasDocument: false, speakers: 2 });
});

test('a build that includes the package renders too; diarize names the setting that is missing', async () => {
  expect(await buildAndRun('bundled', { noExternal: ['voxlane', 'voxlane-assets'] })).toEqual({
    ...RENDERED,
    hasDocument: false,
    speakers: { code: 'environment', problem: expect.stringMatching(/^A bundler has included voxlane without the script of its \w+ worker$/) as string },
  });
});

test('ssrLoadModule of the development server imports and renders', async () => {
  const server = await createServer({ ...config, appType: 'custom', server: { middlewareMode: true, ws: false }, optimizeDeps: { noDiscovery: true } });
  try {
    const { render } = (await server.ssrLoadModule('/entry.js')) as { render: () => unknown };
    expect(render()).toEqual(RENDERED);
  } finally {
    await server.close();
  }
});
