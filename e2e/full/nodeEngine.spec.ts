/** The library in Node gives the results of the browser. */
import { expect, test } from '@playwright/test';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openEnginePage, type EnginePage } from '../../cli/enginePage';
import type { FileRequest } from '../../cli/fileEngine';
import { loadNodeEngine } from '../../cli/nodeEngine';
import type { Diarizer } from '../../src/index';
import { toJson } from '../../src/formats/json';
import { toRttm } from '../../src/formats/rttm';
import { NO_NODE_DECODERS } from '../../test/nodeDecoders';

/** Twelve seconds with both speakers. */
const SEGMENT = { startSeconds: 6, durationSeconds: 12 };
const quiet = (): void => undefined;

let browser: EnginePage;
let inNode: Diarizer;

test.beforeAll(async () => {
  const { Diarizer } = await loadNodeEngine();
  inNode = await Diarizer.create({ backend: 'wasm', preset: 'fast' });
  browser = await openEnginePage('wasm', quiet);
  expect(await browser.page.evaluate(() => voxlane.open({ backend: 'wasm', preset: 'fast' }))).toBeNull();
});

test.afterAll(async () => {
  inNode.dispose();
  await browser.close();
});

async function inBrowser(path: string, format: 'json' | 'rttm'): Promise<string> {
  await browser.page.setInputFiles('#file', path);
  const request: FileRequest = { file: basename(path), uri: 'sample', formats: [format], exclusive: false, dateMs: 0, options: SEGMENT };
  const outcome = await browser.page.evaluate((asked) => voxlane.diarizeFile(asked), request);
  if (!outcome.ok) throw new Error(outcome.error.problem);
  return outcome.documents[format]!;
}

/** Without the seconds that a run and its checks took. */
const withoutTimes = (json: string): unknown =>
  JSON.parse(json, (key, value: unknown) => (key === 'timings' || key === 'seconds' ? undefined : value));

/** WAV; MP3; Opus in Ogg and WebM; and codecs that WebCodecs decodes. */
for (const name of ['sample.wav', 'sample.mp3', 'sample.ogg', 'sample.webm', 'sample.flac', 'sample.m4a']) {
  test(`${name}: RTTM and JSON are equal, but for times`, async () => {
    if (name.endsWith('.flac') || name.endsWith('.m4a')) test.skip(Boolean(NO_NODE_DECODERS), String(NO_NODE_DECODERS));
    const path = name.endsWith('.wav') ? `public/${name}` : `e2e/fixtures/${name}`;
    const result = await inNode.diarize(path, SEGMENT);
    expect(toRttm(result.turns, 'sample')).toBe(await inBrowser(path, 'rttm'));
    expect(withoutTimes(toJson(name, result))).toEqual(withoutTimes(await inBrowser(path, 'json')));
  });
}

test('a path, a file URL, a stream of bytes and a Blob give the same turns', async () => {
  const path = 'public/sample.wav';
  const bytes = readFileSync(path);
  const { turns } = await inNode.diarize(path, SEGMENT);
  expect(turns.length).toBeGreaterThan(2);
  const { openAsBlob } = await import('node:fs');
  const sources = [new URL(`file://${process.cwd()}/${path}`), new Blob([bytes]).stream(), new Blob([bytes]), await openAsBlob(path)];
  for (const source of sources) expect((await inNode.diarize(source, SEGMENT)).turns).toEqual(turns);
});

test('a process ends by itself after its last call, with or without workers in use', async () => {
  const program = (calls: string): string => `import { Diarizer } from ${JSON.stringify(pathToFileURL(resolve('dist-node/index.js')).href)};
    const diarizer = await Diarizer.create({ backend: 'wasm', speed: 'fast', idleSeconds: 86_400 });
    ${calls}
    console.log('done');`;
  // A process that does not end runs into the time limit of the test.
  for (const calls of ['', "await diarizer.diarize('public/sample.wav', { startSeconds: 6, durationSeconds: 3 });"]) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program(calls)]);
    expect(stdout).toBe('done\n');
  }
});

test('a missing file, a folder and a file of another kind are typed errors', async () => {
  await expect(inNode.diarize('public/none.wav')).rejects.toMatchObject({ code: 'audio-missing' });
  await expect(inNode.diarize('public')).rejects.toMatchObject({ code: 'audio-unsupported' });
  await expect(inNode.diarize('package.json')).rejects.toMatchObject({ code: 'audio-unsupported' });
});
