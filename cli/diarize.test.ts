import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recordOutput } from '../test/outputMocks';
import type { DiarizationResult } from '../src/index';
import type { ErrorParts } from '../src/util/errors';
import { diarizeInputs, run } from './diarize';
import { parseCommand } from './diarizeOptions';
import { outcomeOf, type FileEngine } from './fileEngine';
import { setQuiet } from './output';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => {
  vi.restoreAllMocks();
  setQuiet(false);
  rmSync(folder, { recursive: true, force: true });
});

const at = (path: string): string => join(folder, path);

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), 'RIFF');
  }
}

const turn = { startSeconds: 1, endSeconds: 2.5, speaker: 'SPEAKER_00' };
const RESULT = {
  durationSeconds: 12.34,
  turns: [turn, { ...turn, startSeconds: 2, endSeconds: 3, speaker: 'SPEAKER_01' }],
  exclusiveTurns: [turn],
  speakers: ['SPEAKER_00', 'SPEAKER_01'].map((label) => ({ label, centroid: new Float32Array(1), embeddingModel: '', speechSeconds: 1 })),
  speakerCount: { value: 2, alternatives: [], unmet: null },
  timings: {},
  backend: { name: 'wasm', adapter: null, threads: 2, reason: 'WASM was requested', selfCheck: null },
  preset: 'campplus',
  speed: 'exact',
  notes: [],
  modelNote: null,
} as unknown as DiarizationResult;

/** An engine whose files named `bad…` cannot be read, and which fails for files named `crash…`. */
class StubEngine implements FileEngine {
  readonly calls: string[] = [];
  start(): Promise<void> {
    this.calls.push('start');
    return Promise.resolve();
  }
  diarize: FileEngine['diarize'] = (path, request, onProgress) => {
    const options = JSON.stringify(request.options);
    this.calls.push(basename(path) + (options === '{}' ? '' : ` ${options}`));
    onProgress('embedding', 0.5);
    const error: ErrorParts = { code: 'audio-unsupported', problem: 'The file is not a supported container' };
    if (basename(path).startsWith('bad')) return Promise.resolve({ ok: false, error });
    if (basename(path).startsWith('crash')) return Promise.reject(new Error('the browser ended 2 times during this work'));
    return Promise.resolve(outcomeOf(RESULT, request));
  };
  close(): Promise<void> {
    this.calls.push('close');
    return Promise.resolve();
  }
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string[];
  readonly calls: readonly string[];
}

async function diarize(...args: string[]): Promise<Ended> {
  const output = recordOutput();
  const engine = new StubEngine();
  const command = parseCommand(args);
  if (command === 'help') throw new Error('expected a command');
  try {
    const code = await diarizeInputs(command, engine);
    return { code, stdout: output.stdout, stderr: output.stderr.replaceAll(`${folder}/`, '').split('\n').filter(Boolean), calls: engine.calls };
  } finally {
    vi.restoreAllMocks();
  }
}

test('one file: RTTM on standard output, progress and one line on standard error', async () => {
  put('talk.wav');
  const { code, stdout, stderr } = await diarize(at('talk.wav'));
  expect(code).toBe(0);
  expect(stdout).toBe('SPEAKER talk 1 1.000 1.500 <NA> <NA> SPEAKER_00 <NA> <NA>\nSPEAKER talk 1 2.000 1.000 <NA> <NA> SPEAKER_01 <NA> <NA>\n');
  expect(stderr).toEqual(['  embedding 50 %', 'WASM, 2 threads (WASM was requested); preset campplus, exact', expect.stringMatching(/^\[1\/1\] talk\.wav: 12\.3 s, 2 speakers, \d+\.\d s$/)]);
});

test('on standard output, names that are equal without spaces are distinct', async () => {
  put('a b.wav', 'a_b.wav');
  const { stdout } = await diarize(at('a b.wav'), at('a_b.wav'));
  expect([...new Set(stdout.trimEnd().split('\n').map((line) => line.split(' ')[1]))]).toEqual(['a_b', 'a_b-2']);
});

test('several files: one line each, a summary with all failures, and the results of the others', async () => {
  put('in/a/x.wav', 'in/b/x.wav', 'in/bad.wav', 'in/crash.wav');
  const { code, stderr, calls } = await diarize(at('in'), at('absent.wav'), '--out', at('out'));
  expect(code).toBe(1);
  expect(stderr).toEqual([
    'WASM, 2 threads (WASM was requested); preset campplus, exact',
    expect.stringMatching(/^\[1\/5\] in\/a\/x\.wav: 12\.3 s, 2 speakers, \d+\.\d s$/),
    expect.stringMatching(/^\[2\/5\] in\/b\/x\.wav: 12\.3 s, 2 speakers, \d+\.\d s$/),
    '[3/5] in/bad.wav: failed: The file is not a supported container',
    '[4/5] in/crash.wav: failed: the browser ended 2 times during this work',
    '[5/5] absent.wav: failed: the file does not exist',
    expect.stringMatching(/^2 of 5 files diarized: 24\.7 s of audio in \d+\.\d s; 3 failed:$/),
    'voxlane: in/bad.wav: The file is not a supported container',
    'voxlane: in/crash.wav: the browser ended 2 times during this work',
    'voxlane: absent.wav: the file does not exist',
  ]);
  expect(calls).toEqual(['start', 'x.wav', 'x.wav', 'bad.wav', 'crash.wav', 'close']);
  expect(readdirSync(at('out'), { recursive: true }).sort()).toEqual(['a', 'a/x.rttm', 'b', 'b/x.rttm']);
  expect(readFileSync(at('out/a/x.rttm'), 'utf8')).toContain('SPEAKER x 1 ');
});

test.each([
  ['absent.wav', 42],
  ['bad.wav', 42],
  ['crash.wav', 1],
])('the exit status for %s alone is %i', async (name, expected) => {
  put('bad.wav', 'crash.wav');
  const { code, stderr, calls } = await diarize(at(name));
  expect(code).toBe(expected);
  expect(stderr.filter((line) => line.startsWith(`voxlane: ${name}: `))).toHaveLength(1);
  expect(calls.at(-1)).toBe('close');
});

test('wrong usage has exit status 2', async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await run(['a.wav', '--speakers', 'two'])).toBe(2);
});

test('all formats at once, each in its own file', async () => {
  put('talk.wav');
  const { code } = await diarize(at('talk.wav'), '--out', at('out'), '--format', 'rttm,exclusive-rttm,json,csv,srt', '--format', 'vtt,audacity,textgrid,eaf');
  expect(code).toBe(0);
  const names = ['talk.TextGrid', 'talk.csv', 'talk.eaf', 'talk.exclusive.rttm', 'talk.json', 'talk.labels.txt', 'talk.rttm', 'talk.srt', 'talk.vtt'];
  expect(readdirSync(at('out')).sort()).toEqual(names);
  expect(readFileSync(at('out/talk.exclusive.rttm'), 'utf8').trim().split('\n')).toHaveLength(1);
  for (const name of names) expect(readFileSync(at(`out/${name}`), 'utf8')).toContain('SPEAKER_00');
  await diarize(at('talk.wav'), '--out', at('exclusive'), '--format', 'json,csv', '--exclusive');
  expect(readdirSync(at('exclusive')).sort()).toEqual(['talk.exclusive.csv', 'talk.json']);
});

test('--skip-existing computes only files without all of their results', async () => {
  put('a.wav', 'b.wav');
  await diarize(at('a.wav'), '--out', at('out'));
  const both = [at('a.wav'), at('b.wav'), '--out', at('out'), '--skip-existing'];
  const { code, stderr, calls } = await diarize(...both);
  expect({ code, calls }).toEqual({ code: 0, calls: ['start', 'b.wav', 'close'] });
  expect(stderr[0]).toBe('[1/2] a.wav: skipped, it has results');
  expect(stderr.at(-1)).toMatch(/^1 of 2 files diarized: .*; 1 skipped$/);
  expect((await diarize(...both)).calls).toEqual(['close']);
  expect((await diarize(...both, '--format', 'rttm,json')).calls).toEqual(['start', 'a.wav', 'b.wav', 'close']);
});

test('--json prints an event per file and a summary, with the documents unless they are written to files', async () => {
  put('a.wav', 'bad.wav');
  const events = ({ stdout }: Ended) => stdout.trim().split('\n').map((line) => JSON.parse(line) as object);
  const written = events(await diarize(at('a.wav'), at('bad.wav'), '--json', '--out', at('out')));
  expect(written).toMatchObject([
    { event: 'done', file: at('a.wav'), index: 1, total: 2, audioSeconds: 12.34, speakers: 2, turns: 2, outputs: [at('out/a.rttm')] },
    { event: 'failed', file: at('bad.wav'), index: 2, total: 2, error: { code: 'audio-unsupported' } },
    { event: 'summary', files: 2, done: 1, skipped: 0, failed: 1 },
  ]);
  const [printed] = events(await diarize(at('a.wav'), '--json', '--format', 'rttm,csv'));
  expect(printed).toMatchObject({ documents: { rttm: expect.stringContaining('SPEAKER a 1') as string, csv: expect.stringContaining('SPEAKER_00') as string } });
});

test('--quiet prints only results and failures', async () => {
  put('a.wav', 'bad.wav');
  setQuiet(true);
  const { stdout, stderr } = await diarize(at('a.wav'), at('bad.wav'), '--quiet');
  expect(stdout).toContain('SPEAKER a ');
  expect(stderr).toEqual(['[2/2] bad.wav: failed: The file is not a supported container', expect.stringContaining('1 failed:'), 'voxlane: bad.wav: The file is not a supported container']);
});

test('recordings with equal names have distinct names in one stream', async () => {
  put('a/x.wav', 'b/x.wav');
  const { stdout } = await diarize(at('a/x.wav'), at('b/x.wav'));
  expect(stdout.split('\n').map((line) => line.split(' ')[1])).toEqual(['a/x', 'a/x', 'b/x', 'b/x', undefined]);
});

test('entries of a manifest have their own results and options, and flags about speakers come first', async () => {
  put('a.wav');
  const entries = [{ offset: 0, duration: 2 }, { offset: 2.5, duration: 2, num_speakers: 3 }];
  writeFileSync(at('list.jsonl'), entries.map((entry) => `${JSON.stringify({ audio_filepath: 'a.wav', ...entry })}\n`).join(''));
  const { code, calls } = await diarize(at('list.jsonl'), '--out', at('out'));
  expect({ code, calls }).toEqual({ code: 0, calls: ['start', 'a.wav {"startSeconds":0,"durationSeconds":2}', 'a.wav {"startSeconds":2.5,"durationSeconds":2,"speakers":3}', 'close'] });
  expect(readdirSync(at('out')).sort()).toEqual(['a-0.rttm', 'a-2.5.rttm']);
  expect(readFileSync(at('out/a-2.5.rttm'), 'utf8')).toContain('SPEAKER a-2.5 1 ');
  expect((await diarize(at('list.jsonl'), '--max-speakers', '2')).calls[2]).toBe('a.wav {"maxSpeakers":2,"startSeconds":2.5,"durationSeconds":2}');
});

test('nemotron uses the number of speakers of a manifest', async () => {
  put('a.wav', 'b.wav');
  const entries = [{ audio_filepath: 'a.wav', num_speakers: 3 }, { audio_filepath: 'b.wav' }];
  writeFileSync(at('list.jsonl'), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  const { code, calls } = await diarize(at('list.jsonl'), '--preset', 'nemotron', '--out', at('out'));
  expect({ code, calls }).toEqual({ code: 0, calls: ['start', 'a.wav {"speakers":3}', 'b.wav', 'close'] });
});

test('one thread is singular', () => {
  const backend = { ...RESULT.backend, threads: 1 };
  const outcome = outcomeOf({ ...RESULT, backend }, { options: {}, formats: ['rttm'], exclusive: false, file: 'a', uri: 'a', dateMs: 0 });
  expect(outcome).toMatchObject({ figures: { engine: expect.stringMatching(/^WASM, 1 thread \(/) as string } });
});

test('a result that cannot be written is a failure of its file only', async () => {
  put('a.wav', 'b.wav');
  mkdirSync(at('out/a.rttm'), { recursive: true });
  const { code, stderr } = await diarize(at('a.wav'), at('b.wav'), '--out', at('out'));
  expect(code).toBe(1);
  expect(stderr.at(-1)).toBe('voxlane: a.wav: out/a.rttm cannot be written: it is a folder');
  expect(existsSync(at('out/b.rttm'))).toBe(true);
});
