import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileProblem } from './inputs';
import { downloadLine, prepareFolder, requireWritable, writeResult } from './output';
import { itUnless } from '../test/skips';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const at = (name: string): string => join(folder, name);

test('a wait is reported once', () => {
  const lines: string[] = [];
  const report = downloadLine((line) => lines.push(line));
  for (const receivedBytes of [0, 1]) report({ model: 'm', step: 'wait', receivedBytes, totalBytes: 1 });
  expect(lines).toEqual(['  m is downloaded or converted by another program, which ends first']);
});

test('a download and the conversion after it are reported in steps of 10 %', () => {
  const lines: string[] = [];
  const report = downloadLine((line) => lines.push(line));
  for (const step of ['download', 'convert'] as const) {
    for (const receivedBytes of [1, 5, 31, 100]) report({ model: 'm', step, receivedBytes, totalBytes: 100 });
  }
  const percents = ['0 %', '30 %', '100 %'];
  expect(lines).toEqual([...percents.map((text) => `  m ${text} of 100 bytes`), ...percents.map((text) => `  m converted ${text} of 100 bytes`)]);
});

describe('writing a result', () => {
  test('replaces an older file, keeps its permissions, and leaves no other file', () => {
    writeFileSync(at('a.rttm'), 'old');
    chmodSync(at('a.rttm'), 0o640);
    writeResult(at('a.rttm'), 'new');
    expect(readFileSync(at('a.rttm'), 'utf8')).toBe('new');
    expect(statSync(at('a.rttm')).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['a.rttm']);
  });

  test('writes to the target of a link and keeps the link', () => {
    mkdirSync(at('there'));
    writeFileSync(at('there/a.rttm'), 'old');
    symlinkSync(at('there/a.rttm'), at('a.rttm'));
    writeResult(at('a.rttm'), 'new');
    expect(readFileSync(at('there/a.rttm'), 'utf8')).toBe('new');
    expect(statSync(at('a.rttm')).ino).toBe(statSync(at('there/a.rttm')).ino);
  });

  test('throws a one-line error with the file and the reason, and keeps the older file', () => {
    mkdirSync(at('folder.rttm'));
    writeFileSync(at('file'), '');
    expect(() => { writeResult(at('folder.rttm'), 'x'); }).toThrow(/folder\.rttm cannot be written: it is a folder$/);
    expect(() => { writeResult(at('file/a.rttm'), 'x'); }).toThrow(/a\.rttm cannot be written: a part of its path is not a folder$/);
    expect(() => { writeResult(at('absent/a.rttm'), 'x'); }).toThrow(/a\.rttm cannot be written: its folder does not exist$/);
    expect(() => { writeResult(at(`${'x'.repeat(300)}.rttm`), 'x'); }).toThrow(/cannot be written: the name is too long$/);
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder.rttm']);
  });

  itUnless(existsSync('/dev/full') ? null : 'there is no /dev/full')('throws a one-line error on a full disk and does not replace a device by a file', () => {
    symlinkSync('/dev/full', at('a.rttm'));
    expect(() => { writeResult(at('a.rttm'), 'x'); }).toThrow(/a\.rttm cannot be written: no space is left on the disk$/);
    writeResult('/dev/null', 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('the destination is checked before results are computed', () => {
  test('a folder is created and stays empty', () => {
    prepareFolder(at('a/b'));
    expect(readdirSync(at('a/b'))).toEqual([]);
    requireWritable(at('a/b/tensor.npy'));
    expect(readdirSync(at('a/b'))).toEqual([]);
  });

  test('an impossible destination causes a one-line error', () => {
    writeFileSync(at('file'), '');
    expect(() => { prepareFolder(at('file')); }).toThrow(/results cannot be written to .*file: a part of its path is not a folder$/);
    expect(() => { prepareFolder(at('file/b')); }).toThrow(/file\/b: a part of its path is not a folder$/);
    expect(() => { requireWritable(folder); }).toThrow(/it is a folder$/);
    expect(() => { requireWritable(at('absent/a.npy')); }).toThrow(/its folder does not exist$/);
  });

  // Even root cannot write there.
  itUnless(existsSync('/proc/self') ? null : 'there is no /proc/self')('a folder that is not writable causes a one-line error', () => {
    expect(() => { prepareFolder('/proc/self'); }).toThrow(/^results cannot be written to \/proc\/self: [^\n]+$/);
  });
});

test('an unreadable input is reported before anything is computed', () => {
  writeFileSync(at('empty.wav'), '');
  writeFileSync(at('a.wav'), 'RIFF');
  expect(fileProblem(at('a.wav'))).toBeNull();
  expect(fileProblem(folder)).toBe('it is a folder, not a file');
  expect(fileProblem(at('absent.wav'))).toBe('the file does not exist');
  expect(fileProblem(at('a.wav/b.wav'))).toBe('the file cannot be read: a part of its path is not a folder');
  expect(fileProblem(at('empty.wav'))).toBe('the file is empty');
  expect(fileProblem('/dev/null')).toMatch(/not a regular file/);
});
