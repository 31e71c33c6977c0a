/** The command of the package, next to packages with one file each. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let command: string;

function put(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-test-'));
  put('node_modules/voxlane/package.json', '{ "type": "module" }');
  put('node_modules/voxlane/dist/voxlane/workers/decode.js', 'code');
  put('node_modules/voxlane-assets/package.json', '{ "name": "voxlane-assets", "main": "index.js" }');
  put('node_modules/voxlane-assets/index.js', '');
  put('node_modules/voxlane-assets/voxlane/models/m/model.onnx', 'weights');
  command = join(folder, 'node_modules/voxlane/bin/voxlane.js');
  mkdirSync(dirname(command));
  copyFileSync('packages/voxlane/bin/voxlane.js', command);
});
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const run = (...args: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  return { status, stderr };
};

test('copy writes code and assets to one folder and overwrites an older copy', () => {
  put('out/voxlane/workers/decode.js', 'old');
  execFileSync(process.execPath, [command, 'copy', join(folder, 'out')]);
  expect(readFileSync(join(folder, 'out/voxlane/workers/decode.js'), 'utf8')).toBe('code');
  expect(readFileSync(join(folder, 'out/voxlane/models/m/model.onnx'), 'utf8')).toBe('weights');
  expect(readdirSync(join(folder, 'out/voxlane/workers'))).toEqual(['decode.js']);
});

test('a file that cannot be written causes a one-line error with its name', () => {
  put('file', '');
  put('other/voxlane/workers/decode.js/inside', '');
  for (const target of ['file', 'other']) {
    const { status, stderr } = run('copy', join(folder, target));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*decode\.js cannot be written: [^\n]+\n$/);
  }
  expect(readdirSync(join(folder, 'other/voxlane/workers'))).toEqual(['decode.js']);
});

test('serve rejects a path that is not a folder', () => {
  put('file', '');
  for (const target of ['file', 'absent']) {
    expect(run('serve', join(folder, target))).toEqual({ status: 1, stderr: `there is no folder ${join(folder, target)}\n` });
  }
});
