import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findInputs } from './audioInputs';
import { readInputs } from './corpus/readInputs';
import { walkFolder } from './walkFolder';

vi.mock('node:fs/promises', { spy: true });

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-walk-')); });
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const make = (...paths: string[]): void => {
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), 'x');
  }
};

/** Tests can run as root, who can read every folder. */
function deny(name: string): void {
  vi.mocked(files.opendir).mockImplementation(async (path, options) => {
    if (String(path).endsWith(`/${name}`)) throw Object.assign(new Error('denied'), { code: 'EACCES' });
    return (await vi.importActual<typeof files>('node:fs/promises')).opendir(path, options);
  });
}

async function walked(): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, path } of walkFolder(folder)) found.push(`${kind} ${relative(folder, path)}`);
  return found;
}

test('recordings are sorted at each level; hidden names are left out', async () => {
  make('b.WAV', 'a/z.mp3', 'a/notes.txt', 'new\nline/x.wav', '.hidden/x.wav', '.x.wav');
  expect(await walked()).toEqual(['other a/notes.txt', 'recording a/z.mp3', 'recording b.WAV', 'recording new\nline/x.wav']);
});

test('links to folders are followed once, and never into the tree', async () => {
  make('tree/in/x.wav', 'outside/y.wav');
  symlinkSync('..', join(folder, 'outside/up'));
  symlinkSync('..', join(folder, 'tree/in/up'));
  symlinkSync('in', join(folder, 'tree/again'));
  symlinkSync('../outside', join(folder, 'tree/link1'));
  symlinkSync('../outside', join(folder, 'tree/link2'));
  symlinkSync('self', join(folder, 'tree/self.wav'));
  symlinkSync('self.wav', join(folder, 'tree/self'));
  symlinkSync('nowhere', join(folder, 'tree/broken.wav'));
  const whole = folder;
  folder = join(folder, 'tree');
  // The folder above, which a link in `outside` leads to, contains the tree. It is listed once, without the tree.
  expect((await walked()).filter((line) => !line.includes('link1/up'))).toEqual(['recording broken.wav', 'recording in/x.wav', 'recording link1/y.wav', 'other self', 'recording self.wav']);
  folder = whole;
});

test('a folder that cannot be listed does not stop the walk; commands report it', async () => {
  make('0.wav', 'secret/a.wav', 'z/c.wav');
  deny('secret');
  expect(await walked()).toEqual(['recording 0.wav', 'unreadable secret', 'recording z/c.wav']);
  const inputs = await findInputs([folder]);
  expect(inputs.map(({ path, problem }) => [relative(folder, path), problem?.problem ?? null])).toEqual([
    ['0.wav', null],
    ['secret', 'the folder cannot be read: permission is denied'],
    ['z/c.wav', null],
  ]);
  const reads: unknown[] = [];
  for await (const read of readInputs([folder], {}, { otherFiles: 0 })) reads.push('problem' in read ? read.problem : relative(folder, read.path));
  expect(reads).toEqual(['0.wav', 'The folder cannot be read: permission is denied', 'z/c.wav']);
});
