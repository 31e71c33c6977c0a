import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findInputs } from './audioInputs';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), 'RIFF');
  }
}

/** Paths and bases relative to the folder, and problems. */
async function found(...given: string[]): Promise<string[][]> {
  const inputs = await findInputs(given.map((path) => join(folder, path)));
  return inputs.map(({ path, base, problem }) => [relative(folder, path), relative(folder, base), ...(problem ? [problem.problem] : [])]);
}

test('a folder stands for all audio and video files below it, in the order of their paths', async () => {
  put('in/b.wav', 'in/a/c.MP3', 'in/a/d.mkv', 'in/a/notes.txt', 'in/.hidden/e.wav', 'in/a/._c.mp3');
  expect(await found('in')).toEqual([['in/a/c.MP3', 'in'], ['in/a/d.mkv', 'in'], ['in/b.wav', 'in']]);
});

test('a single file can have any name, also one with the characters of a pattern', async () => {
  put('in/talk', 'in/[1] why?.wav');
  expect(await found('in/talk', 'in/[1] why?.wav')).toEqual([['in/talk', 'in'], ['in/[1] why?.wav', 'in']]);
});

test('a pattern stands for its files, whose results keep the folders below its fixed part', async () => {
  put('in/a/x.wav', 'in/b/c/x.wav', 'in/b/y.mp3');
  expect(await found('in/**/x.wav')).toEqual([['in/a/x.wav', 'in'], ['in/b/c/x.wav', 'in']]);
  expect(await found('in/b/*.{wav,mp3}')).toEqual([['in/b/y.mp3', 'in/b']]);
});

test('a file that several arguments name is listed once', async () => {
  put('in/a.wav', 'in/b.wav');
  expect(await found('in/b.wav', 'in', 'in/*.wav', 'in/b.wav')).toEqual([['in/b.wav', 'in'], ['in/a.wav', 'in']]);
});

test('inputs without a readable file have a problem each', async () => {
  put('in/notes.txt');
  writeFileSync(join(folder, 'empty.wav'), '');
  symlinkSync(join(folder, 'gone.wav'), join(folder, 'link.wav'));
  expect(await found('in', 'absent.wav', 'empty.wav', 'link.wav', '*.flac')).toEqual([
    ['in', 'in', 'the folder has no audio or video files'],
    ['absent.wav', '', 'the file does not exist'],
    ['empty.wav', '', 'the file is empty'],
    ['link.wav', '', 'the file does not exist'],
    ['*.flac', '*.flac', 'no file matches the pattern'],
  ]);
});

test('a manifest stands for its entries, with segments and numbers of speakers', async () => {
  put('in/a.wav');
  const line = (fields: object): string => `${JSON.stringify({ audio_filepath: 'a.wav', ...fields })}\n`;
  writeFileSync(join(folder, 'in/list.jsonl'), [line({}), line({ offset: 12.5, duration: 3, num_speakers: 2 }), line({ offset: 'x' }), line({ audio_filepath: 'absent.wav' })].join(''));
  const inputs = await findInputs([join(folder, 'in/list.jsonl')]);
  expect(inputs.map(({ options, namePath }) => [relative(folder, namePath), options])).toEqual([
    ['in/a.wav', {}],
    ['in/a-12.5.wav', { startSeconds: 12.5, durationSeconds: 3, speakers: 2 }],
    [expect.any(String), {}],
    ['in/absent.wav', {}],
  ]);
  expect(inputs.map(({ problem }) => problem?.problem)).toEqual([undefined, undefined, expect.stringContaining('offset'), 'the file does not exist']);
});

test('a path that leads nowhere does not stop the others', async () => {
  put('a.wav');
  symlinkSync('loop', join(folder, 'loop'));
  const long = `${'x'.repeat(300)}.wav`;
  expect(await found('loop', long, 'a.wav')).toEqual([
    ['loop', '', 'the file cannot be read: its symbolic links form a loop'],
    [long, '', 'the file cannot be read: the name is too long'],
    ['a.wav', ''],
  ]);
});

test('standard input that cannot be saved is one line', async () => {
  vi.stubEnv('TMPDIR', join(folder, 'none'));
  await expect(findInputs(['-'], Readable.from([Buffer.from('RIFF')]))).rejects.toThrow(`temporary files cannot be written to ${join(folder, 'none')}: its folder does not exist. TMPDIR can name another folder`);
});

test('- reads standard input', async () => {
  const [input] = await findInputs(['-'], Readable.from([Buffer.from('RIFF'), Buffer.from('1234')]));
  expect(input).toMatchObject({ label: 'standard input', problem: null });
  expect(readFileSync(input!.path, 'latin1')).toBe('RIFF1234');
  const [empty] = await findInputs(['-'], Readable.from([]));
  expect(empty!.problem).toEqual({ code: 'audio-empty', problem: 'standard input is empty' });
});
