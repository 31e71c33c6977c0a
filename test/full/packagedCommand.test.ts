/** The command of the packed packages in an empty folder, without a browser. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packPackages, ROOT, tarballsIn } from '../packages/pack';
import { runIn } from '../packages/runIn';
import { readNpyHeader } from '../../src/compare/files/npy';
import { parseRttm } from '../../src/formats/rttm';
import { sampleWav } from '../audio/sampleWav';

/** One window with both speakers of the sample. e2e/full/nodeEngine.spec.ts runs the whole sample. */
const CLIP = sampleWav(7, 8);

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-package-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--cache', join(folder, 'npm-cache')];
  await runIn(folder, 'npm', ['install', ...quiet, ...tarballsIn(await packPackages())]);
  writeFileSync(join(folder, 'clip.wav'), CLIP);
}, 600_000);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** Runs a program. Only Node and npm are in the path, and no browser. */
function runProgram(program: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const path = [dirname(process.execPath), '/usr/bin', '/bin'].join(':');
  return spawnSync(program, args, { cwd: folder, encoding: 'utf8', env: { PATH: path, HOME: folder, CHROMIUM_PATH: '/absent' } });
}

/** Runs the command without npx, which needs half a second more. */
const voxlane = (...args: string[]) => runProgram('node_modules/.bin/voxlane', args);

test('diarize writes the turns of a clip, with the engine for Node', () => {
  const { status, stdout, stderr } = runProgram('npx', ['--no-install', 'voxlane', 'diarize', 'clip.wav']);
  expect(status, stderr).toBe(0);
  expect(parseRttm(stdout).get('clip')!.length).toBeGreaterThan(2);
  expect(stderr).toMatch(/^\[1\/1\] clip\.wav: 8\.0 s, 2 speakers, \d+\.\d s$/m);
});

test('all formats, a folder, and the score against itself', () => {
  mkdirSync(join(folder, 'in/a'), { recursive: true });
  writeFileSync(join(folder, 'in/a/x.wav'), CLIP);
  expect(voxlane('diarize', 'in', '--out', 'out', '--format', 'rttm,json,csv,textgrid,eaf').status).toBe(0);
  expect(readdirSync(join(folder, 'out/a')).sort()).toEqual(['x.TextGrid', 'x.csv', 'x.eaf', 'x.json', 'x.rttm']);
  const { stdout } = voxlane('score', 'out/a/x.rttm', 'out/a/x.rttm');
  expect(JSON.parse(stdout)).toMatchObject({ der: 0, jer: 0 });
});

test('stage, compare and evaluate work in the package', () => {
  const stage = voxlane('stage', 'lstm', 'clip.wav', '--duration', '2', '--out', 'lstm.npy');
  expect(stage, stage.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/^lstm \(batch, frame, channel\): \(1, 115, 256\)/) as string });
  expect(readNpyHeader(readFileSync(join(folder, 'lstm.npy')), 'lstm.npy').shape).toEqual([1, 115, 256]);
  const compare = voxlane('compare', join(ROOT, 'e2e/fixtures/foreign/plain.zip'), '--json');
  expect(compare.status, compare.stderr).toBe(0);
  expect(JSON.parse(compare.stdout)).toMatchObject({ model: 'plain', backend: 'wasm', verdict: 'pass' });
  mkdirSync(join(folder, 'recordings'));
  writeFileSync(join(folder, 'recordings/clip.wav'), CLIP);
  writeFileSync(join(folder, 'recordings/clip.rttm'), 'SPEAKER clip 1 0 4 <NA> <NA> a <NA> <NA>\nSPEAKER clip 1 4 4 <NA> <NA> b <NA> <NA>\n');
  const evaluate = voxlane('evaluate', 'recordings', '--json');
  expect(evaluate.status, evaluate.stderr).toBe(0);
  expect(JSON.parse(evaluate.stdout)).toMatchObject({ recordings: [{ name: 'clip', speakersFound: 2, speakersThere: 2 }] });
});

test('a bad file has exit status 42, and what the package lacks is an error that says what to do', () => {
  writeFileSync(join(folder, 'bad.wav'), 'RIFF');
  expect(voxlane('diarize', 'bad.wav')).toMatchObject({ status: 42, stdout: '' });
  const lacking: readonly (readonly [string[], number, RegExp])[] = [
    [['diarize', 'clip.wav', '--engine', 'browser'], 2, /--engine browser needs a clone of the repository\. Use --engine node, the default$/],
    [['stage', 'lstm', 'clip.wav', '--engine', 'browser'], 2, /^stage: --engine browser needs a clone of the repository/],
    [['bisect', 'segmentation-3.0'], 2, /^bisect: WebGPU is not available in Node: the package webgpu is missing\. Install it with "npm install webgpu", or run the command in a clone of the repository/],
    [['evaluate'], 2, /^evaluate: expected a FOLDER\. Only a clone/],
    [['evaluate', 'recordings', '--peer'], 2, /^evaluate: --peer needs a clone of the repository/],
  ];
  for (const [args, status, message] of lacking) {
    const ended = voxlane(...args);
    expect({ status: ended.status, stdout: ended.stdout, stderr: ended.stderr.trimEnd() }).toEqual({ status, stdout: '', stderr: expect.stringMatching(message) as string });
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
  }
});

test('copy, completion and --version work in the package', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'packages/voxlane/package.json'), 'utf8')) as { readonly version: string };
  expect(voxlane('--version').stdout).toBe(`${version}\n`);
  expect(voxlane('copy', 'site').status).toBe(0);
  expect(readdirSync(join(folder, 'site/voxlane')).sort()).toEqual(['goldens', 'models', 'ort', 'workers']);
  expect(voxlane('completion', 'bash').stdout).toContain("'diarize --speed') words='exact fast' ;;");
});
