import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { corpusFiles, type Entry, readEntries, readPlan, readRefusals, type Refusal } from './layout';
import { requireIdle } from './leases';
import { makePlan, type PlanOutcome, type PlanRequest } from './makePlan';
import { parseCommand } from './plan';
import { describeUnless, itUnless } from '../../test/skips';

const CASES = resolve('e2e/fixtures/cases');
const RATE = 1000;

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-plan-'));
  out = join(folder, 'out');
  vi.stubEnv('VOXLANE_FFMPEG', join(folder, 'ffmpeg'));
});
afterEach(() => { vi.unstubAllEnvs(); });

/** A WAV file with 8-bit silence. @returns its path */
function wav(name: string, seconds: number): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  const frames = Math.round(seconds * RATE);
  const bytes = Buffer.alloc(44 + frames, 128);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + frames, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  [1, 1].forEach((value, index) => bytes.writeUInt16LE(value, 20 + 2 * index));
  [RATE, RATE].forEach((value, index) => bytes.writeUInt32LE(value, 24 + 4 * index));
  [1, 8].forEach((value, index) => bytes.writeUInt16LE(value, 32 + 2 * index));
  bytes.write('data', 36);
  bytes.writeUInt32LE(frames, 40);
  writeFileSync(path, bytes);
  return path;
}

function write(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const lines = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

interface Read extends PlanOutcome {
  readonly entries: readonly Entry[];
  readonly refusals: readonly Refusal[];
}

async function plan(inputs: readonly string[], options: Partial<PlanRequest> = {}): Promise<Read> {
  const outcome = await makePlan({ inputs, folder: out, numShards: 1, templates: {}, ...options });
  const entries: Entry[] = [];
  for await (const entry of readEntries(out)) entries.push(entry);
  const refusals: Refusal[] = [];
  for await (const refusal of readRefusals(out)) refusals.push(refusal);
  expect(outcome.plan).toEqual(await readPlan(out));
  expect(outcome.plan).toMatchObject({ numEntries: entries.length, numRefused: refusals.length });
  return { ...outcome, entries, refusals };
}

describe('readers', () => {
  test('read NeMo entries with paths relative to the manifest', async () => {
    const path = wav('audio/call.wav', 10);
    const rttm = write('audio/call.rttm', '');
    const manifest = write(
      'nemo.json',
      lines(
        { audio_filepath: 'audio/call.wav', offset: 0, duration: 10, num_speakers: 2, rttm_filepath: 'audio/call.rttm', uem_filepath: null },
        { audio_filepath: path, offset: 2.5, duration: 4, num_speakers: null, label: 'infer', text: '-' },
        { audio_filepath: path, offset: 8, duration: null, uniq_id: 'the end' },
      ),
    );
    const { entries, refusals } = await plan([manifest]);
    expect(refusals).toEqual([]);
    const file = { recording: 'call', path, shard: 0, bytes: 10_044 };
    expect(entries).toMatchObject([
      { ...file, id: 'call', durationSeconds: 10, numSpeakers: 2, referenceRttm: rttm },
      { ...file, id: 'call-2.500-6.500', startSeconds: 2.5, endSeconds: 6.5, durationSeconds: 4 },
      { ...file, id: 'the_end', startSeconds: 8, endSeconds: 10, durationSeconds: 2 },
    ]);
    expect(entries[0]).not.toHaveProperty('startSeconds');
  });

  test('read Lhotse recordings, also compressed', async () => {
    const path = wav('a.wav', 1);
    const recording = { id: 'rec 1', sources: [{ type: 'file', channels: [0], source: 'a.wav' }], sampling_rate: RATE, num_samples: RATE, duration: 1 };
    const manifest = write('recordings.jsonl.gz', gzipSync(lines(recording)));
    const { entries } = await plan([manifest]);
    expect(entries).toMatchObject([{ id: 'rec_1', recording: 'rec_1', recordingId: 'rec 1', path }]);
  });

  test('read tables with any delimiter', async () => {
    const path = wav('a, b.wav', 9);
    const table = write('table.csv', '\uFEFFID;Path;Start;End;Speakers\nx;"a, b.wav";1;3,\n');
    const comma = write('comma.csv', 'path,duration,num_speakers\n"a, b.wav",,4\n');
    const { entries, refusals } = await plan([table, comma]);
    expect(refusals).toMatchObject([{ source: `${table}, line 2`, code: 'entry', problem: 'The field end is "3,"' }]);
    expect(entries).toMatchObject([{ id: 'a__b', path, numSpeakers: 4, durationSeconds: 9 }]);
  });

  test('read lists of paths, and of names with a template', async () => {
    const [a, b] = [wav('wav/a.wav', 1), wav('wav/b.wav', 1)];
    const rttm = write('rttm/b.rttm', '');
    const paths = write('paths.txt', '# comment\nwav/a.wav\r\n\n');
    const names = write('train.lst', 'b\n');
    const templates = { audio: 'wav/{uri}.wav', rttm: 'rttm/{uri}.rttm' };
    expect((await plan([paths])).entries).toMatchObject([{ id: 'a', path: a }]);
    expect((await plan([names], { templates })).entries).toMatchObject([{ id: 'b', path: b, referenceRttm: rttm }]);
  });

  test('read folders in order, and count other files', async () => {
    for (const name of ['in/b.wav', 'in/a/z.wav', 'in/c.WAV', 'in/.hidden.wav']) wav(name, 1);
    write('in/notes.md', '');
    const { entries, otherFiles } = await plan([join(folder, 'in')]);
    expect(entries.map(({ id }) => id)).toEqual(['z', 'b', 'c']);
    expect(otherFiles).toBe(1);
  });

  test('refuse inputs that cannot be read, and keep the others', async () => {
    const path = wav('a.wav', 1);
    const cut = gzipSync(lines({ audio_filepath: 'a.wav' }));
    const inputs = [write('cut.jsonl.gz', cut.subarray(0, 20)), join(folder, 'absent.csv'), write('b.csv', 'x,y\n1,2\n'), path];
    const { entries, refusals } = await plan(inputs);
    expect(entries).toMatchObject([{ path }]);
    expect(refusals.map(({ source, code }) => [source, code])).toEqual(inputs.slice(0, 3).map((input) => [input, 'unreadable']));
    const notText = [
      write('marked.txt', Buffer.from('\ufeffa.wav\r\n', 'utf16le')),
      write('unmarked.lst', Buffer.from('a.wav\r\n', 'utf16le')),
      write('table.csv', Buffer.from('path\r\na.wav\r\n', 'utf16le')),
      write('lines.jsonl', Buffer.from(lines({ audio_filepath: 'a.wav' }), 'utf16le').swap16()),
      write('packed.jsonl.gz', gzipSync(Buffer.from([0, 1, 2]))),
    ];
    for (const { problem } of (await plan(notText)).refusals) expect(problem).toContain('it is not text in UTF-8');
    expect((await plan([...notText, write('empty.csv', ''), write('empty.jsonl', '\n')])).refusals.slice(notText.length - 1).map(({ problem }) => problem)).toEqual([
      expect.stringContaining('it is not text in UTF-8'),
      expect.stringMatching(/no column|no recordings/),
      'The input has no recordings',
    ]);
    expect(refusals[2]?.problem).toMatch(/no column is named path, file, audio, audio_filepath or audio_path\. The first row has x, y/);
  });
});

describe('checks', () => {
  test('refuse entries with a reason and the line', async () => {
    const path = wav('a.wav', 10);
    const entry = (fields: object): object => ({ audio_filepath: 'a.wav', ...fields });
    const manifest = write(
      'a.jsonl',
      `${lines(
        entry({ offset: 11, duration: 1 }),
        entry({ offset: 5, duration: 6 }),
        entry({ offset: 5, duration: 0 }),
        entry({ num_speakers: 1.5 }),
        entry({ offset: -1 }),
        entry({ rttm_filepath: 'absent.rttm' }),
        { audio_filepath: 'absent.wav' },
        { audio_filepath: ['a.wav', 'b.wav'] },
        { id: 'c', start: 0, recording: {} },
        { id: 'u', sources: [{ type: 'url', source: 'https://example.org/a.wav' }] },
        entry({}),
      )}not json\n[1]\n`,
    );
    const { entries, refusals } = await plan([manifest, path]);
    expect(entries).toMatchObject([{ id: 'a', durationSeconds: 10 }]);
    expect(refusals.map(({ code, problem }) => `${code}: ${problem}`)).toEqual([
      'segment: The segment starts at 11 s, after the end of the file',
      'segment: The segment ends at 11 s, after the end of the file',
      'segment: The segment has a duration of 0 s',
      'entry: The field num_speakers is 1.5',
      'entry: The field offset is -1',
      expect.stringMatching(/^missing: The reference .*absent\.rttm does not exist or cannot be read$/),
      'missing: The file does not exist',
      'entry: The entry has several audio files',
      'entry: The line is a Lhotse cut, which is not supported',
      'entry: The source of the recording has the type "url"',
      'entry: The line is not JSON',
      'entry: The line is not a JSON object',
      `duplicate: The same recording and segment is in ${manifest}, line 11`,
    ]);
    expect(refusals[1]).toMatchObject({ source: `${manifest}, line 2`, path, expected: 'times within the file, which has 10 s' });
  });

  test('accept a segment of a truncated file if it is there', async () => {
    const whole = readFileSync(wav('whole.wav', 10));
    write('cut.wav', whole.subarray(0, 44 + 6 * RATE));
    const manifest = write('a.jsonl', lines({ audio_filepath: 'cut.wav' }, { audio_filepath: 'cut.wav', offset: 1, duration: 4 }));
    const { entries, refusals } = await plan([manifest]);
    expect(entries).toMatchObject([{ startSeconds: 1, endSeconds: 5 }]);
    expect(refusals).toMatchObject([{ code: 'audio-truncated', problem: 'The WAV header declares 10.000 s, but the file contains 6.000 s' }]);
  });

  test('refuse empty files, folders and broken links', async () => {
    const dangling = join(folder, 'in', 'link.wav');
    mkdirSync(join(folder, 'in'));
    symlinkSync(join(folder, 'nowhere'), dangling);
    const manifest = write('a.txt', 'in\nempty.wav\n');
    write('empty.wav', '');
    const { refusals } = await plan([manifest, join(folder, 'in')]);
    expect(refusals.map(({ code }) => code)).toEqual(['unreadable', 'audio-empty', 'missing']);
  });

  test('give every fixture of a bad recording a row', async () => {
    const inputs = readdirSync(CASES).map((name) => join(CASES, name));
    const { entries, refusals } = await plan(inputs);
    const rows = new Map<string | null, number | string>([...entries.map(({ path, durationSeconds }) => [path, durationSeconds] as const), ...refusals.map(({ path, code }) => [path, code] as const)]);
    expect(rows.size).toBe(inputs.length);
    const row = (name: string): number | string | undefined => rows.get(join(CASES, name));
    expect(row('lying.zip')).toBe('audio-unsupported');
    expect(row('mp3_two_files_joined_xing_of_first.mp3')).toBeCloseTo(8.28, 1);
    expect(row('ogg_opus_chained_4s_4s.opus')).toBeCloseTo(8.19, 1);
    expect(row('m4a_edit_list_keeps_0-2s_and_6-8s.m4a')).toBeCloseTo(4, 1);
    expect(row('wav_placeholder_2000000000_pocket_tts.wav')).toBeCloseTo(4.1, 1);
    expect(row('mp3_partial_download.mp3')).toBeCloseTo(2.05, 1);
  });
});

describeUnless(process.platform === 'win32' && 'ffprobe is replaced by a shell script')('a file of a format that only ffmpeg decodes', () => {
  const answer = (json: object): void => {
    const path = write('ffprobe', `#!/bin/sh\nfor last; do :; done\n[ "$last" = "file:${join(folder, 'talk.amr')}" ] && echo '${JSON.stringify(json)}'\n`);
    chmodSync(path, 0o755);
  };

  test('is accepted with the duration of ffprobe', async () => {
    answer({ streams: [{ codec_type: 'audio' }], format: { duration: '12.5' } });
    expect((await plan([write('talk.amr', '#!AMR\n')])).entries).toMatchObject([{ durationSeconds: 12.5 }]);
  });

  test.each([
    ['audio', { streams: [], format: { duration: '12.5' } }],
    ['duration', { streams: [{ codec_type: 'audio' }], format: {} }],
  ])('is refused if ffprobe finds no %s', async (_, json) => {
    answer(json);
    expect((await plan([write('talk.amr', '#!AMR\n')])).refusals).toMatchObject([{ code: 'audio-unsupported' }]);
  });

  test('is refused without ffprobe', async () => {
    expect((await plan([write('talk.amr', '#!AMR\n')])).refusals).toMatchObject([{ code: 'audio-unsupported' }]);
  });
});

test('a plan does not replace one that a run works on', async () => {
  const path = wav('a.wav', 1);
  await plan([path]);
  const files = corpusFiles(out);
  mkdirSync(files.running);
  const write = (pid: number): void => { writeFileSync(files.lease('a'), JSON.stringify({ pid, host: hostname(), shard: 0, startedMs: 0 })); };
  write(process.pid);
  await expect(requireIdle(out, 0)).rejects.toThrow(/a run works on .* Wait for its end/);
  write(2 ** 30);
  await expect(requireIdle(out, 0)).resolves.toBeUndefined();
});

test('a plan replaces neither an input nor a file that is not from a plan', async () => {
  mkdirSync(out, { recursive: true });
  wav('out/a.wav', 1);
  const manifest = write('out/manifest.jsonl', lines({ audio_filepath: 'a.wav' }));
  await expect(plan([manifest])).rejects.toThrow(`${manifest} is an input, and the plan would replace it`);
  await expect(plan([join(out, 'a.wav')])).rejects.toThrow(`${manifest} is not from "corpus plan"`);
  expect(readFileSync(manifest, 'utf8')).toBe(lines({ audio_filepath: 'a.wav' }));
  rmSync(manifest);
  const other = write('out/plan.json', '{"rooms":3}');
  await expect(plan([join(out, 'a.wav')])).rejects.toThrow(`${other} is not from "corpus plan"`);
  rmSync(other);
  await plan([join(out, 'a.wav')]);
  expect((await plan([join(out, 'a.wav')], { numShards: 2 })).plan.numShards).toBe(2);
  await expect(plan([manifest])).rejects.toThrow(`${manifest} is an input`);
});

test('YAML of pyannote.database is refused with the input to give', async () => {
  const { refusals } = await plan([write('database.yml', 'Protocols:\n')]);
  expect(refusals).toMatchObject([{ code: 'format', problem: expect.stringContaining('database.yml') as string, remedy: expect.stringContaining("--audio 'audio/{uri}.wav'") as string }]);
});

itUnless(process.platform !== 'linux' && 'only Linux has file names that are not UTF-8')('names that are not UTF-8 are refused with the reason', async () => {
  const folderName = (name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/in/`), name]);
  mkdirSync(join(folder, 'in'));
  copyFileSync(wav('good.wav', 1), folderName(Buffer.from('caf\xe9.wav', 'latin1')));
  mkdirSync(folderName(Buffer.from('r\xe9union', 'latin1')));
  const { refusals } = await plan([join(folder, 'in')]);
  expect(refusals.map(({ problem }) => problem)).toEqual([
    'The name is not UTF-8, so the file cannot be opened',
    'The folder cannot be read: its name is not UTF-8, so it cannot be opened; rename it, for example with convmv',
  ]);
});

test('a plan removes what a killed one has left', async () => {
  for (const name of ['out/.manifest.jsonl.0123456789ab.tmp', 'out/.draft.jsonl', 'out/results/a.json']) write(name, 'x');
  await plan([wav('a.wav', 1)]);
  expect(readdirSync(out).sort()).toEqual(['manifest.jsonl', 'plan.json', 'refused.jsonl', 'results']);
});

describe('names', () => {
  test('are distinct, readable and safe', async () => {
    const paths = ['a/x.wav', 'b/x.wav', 'b/X.mp3.wav', 'c/Ä ö?.wav', 'd/...wav', 'e/only.wav'].map((name) => wav(name, 1));
    copyFileSync(paths[1]!, join(folder, 'b', 'x.wave'));
    const { entries } = await plan([...paths, join(folder, 'b', 'x.wave')]);
    expect(entries.map(({ id }) => id)).toEqual(['a-x', 'b-x', 'X.mp3', 'Ä_ö_', '_.', 'only', 'b-x.wave']);
  });

  test('are the same for all segments of a file', async () => {
    for (const name of ['a/x.wav', 'b/x.wav']) wav(name, 10);
    const segments = ['a', 'b', 'a'].map((name, index) => ({ audio_filepath: `${name}/x.wav`, offset: index, duration: 1 }));
    const { entries } = await plan([write('m.jsonl', lines(...segments))]);
    expect(entries.map(({ id }) => id)).toEqual(['a-x-0.000-1.000', 'b-x-1.000-2.000', 'a-x-2.000-3.000']);
    expect(entries.map(({ recording }) => recording)).toEqual(['a-x', 'b-x', 'a-x']);
  });

  test('are shortened to what file systems allow', async () => {
    const { entries } = await plan([wav(`${'é'.repeat(120)}.wav`, 1)]);
    expect(Buffer.byteLength(entries[0]!.id)).toBeLessThanOrEqual(120);
    expect(entries[0]!.id).toMatch(/^é+-[0-9a-f]{8}$/);
  });
});

test('shards have nearly equal audio duration and depend only on the inputs', async () => {
  const paths = Array.from({ length: 23 }, (_, index) => wav(`${String(index).padStart(2, '0')}.wav`, 1 + ((index * 7) % 11)));
  const first = await plan(paths, { numShards: 4 });
  const { shards, totalSeconds } = first.plan;
  const loads = shards.map(({ seconds }) => seconds);
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
  expect(loads.reduce((sum, load) => sum + load, 0)).toBeCloseTo(totalSeconds, 6);
  expect(first.entries.map(({ id }) => id)).toEqual(paths.map((_, index) => String(index).padStart(2, '0')));
  const bytes = readFileSync(corpusFiles(out).manifest);
  await plan(paths, { numShards: 4 });
  expect(readFileSync(corpusFiles(out).manifest)).toEqual(bytes);
});

describe('arguments', () => {
  test.each([
    [['a.wav'], /expected --out DIR/],
    [['--out', 'd'], /expected at least one manifest/],
    [['a.wav', '--out', 'd', '--shards', '0'], /--shards is 0\. Expected a whole number from 1/],
    [['a.lst', '--out', 'd', '--audio', 'x.wav'], /--audio is x\.wav\. Expected a path with \{uri\}/],
    [['a.lst', '--out', 'd', '--rttm', '{uri}.rttm'], /need --audio/],
  ])('%j are refused', (args, message) => {
    expect(() => parseCommand(args)).toThrow(message);
  });
});
