import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyFiles } from './copy';
import { fileAt } from './serve';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-test-'));
  put('code/workers/decode.js', 'code');
  put('assets/models/m/model.onnx', 'weights');
});
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const at = (path: string): string => join(folder, path);

function put(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

const copy = (target: string): string => copyFiles([at('code'), at('assets')], at(target));

test('copy writes code and assets to one folder and overwrites an older copy', () => {
  put('out/voxlane/workers/decode.js', 'old');
  expect(copy('out')).toBe(at('out/voxlane'));
  expect(readFileSync(at('out/voxlane/workers/decode.js'), 'utf8')).toBe('code');
  expect(readFileSync(at('out/voxlane/models/m/model.onnx'), 'utf8')).toBe('weights');
  expect(readdirSync(at('out/voxlane/workers'))).toEqual(['decode.js']);
});

test('a file that cannot be written, or a missing folder, causes a one-line error with its name', () => {
  put('file', '');
  put('other/voxlane/workers/decode.js/inside', '');
  for (const target of ['file', 'other']) {
    expect(() => copy(target)).toThrow(/^[^\n]*decode\.js cannot be written: [^\n]+$/);
  }
  expect(readdirSync(at('other/voxlane/workers'))).toEqual(['decode.js']);
  expect(() => copyFiles([at('absent')], at('out'))).toThrow(/absent is missing\. /);
});

test('serve finds only files inside its folder', () => {
  put('site/index.html', '<p>');
  put('site/a b.js', '');
  expect(fileAt(at('site'), '/')).toEqual({ file: at('site/index.html'), size: 3 });
  expect(fileAt(at('site'), '/a%20b.js?x=1')).toEqual({ file: at('site/a b.js'), size: 0 });
  for (const url of ['/absent', '/../code/workers/decode.js', '/%2e%2e/code/workers/decode.js', '/%', '/..%2fcode/workers/decode.js']) {
    expect(fileAt(at('site'), url)).toBeNull();
  }
});
