import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from './score';

interface Pair {
  readonly name: string;
  readonly reference: string;
  readonly hypothesis: string;
  readonly uem?: string;
  readonly expected: { readonly der: number; readonly jer: number; readonly total: number; readonly mapping: Record<string, string> };
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const pairs = JSON.parse(readFileSync(join(ROOT, 'src/score/fixtures/pairs.json'), 'utf8')) as Pair[];
const folder = mkdtempSync(join(tmpdir(), 'voxlane-score-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
function file(text: string): string {
  const path = join(folder, `${files++}.txt`);
  writeFileSync(path, text);
  return path;
}

function pairNamed(name: string): Pair {
  const pair = pairs.find((one) => one.name === name);
  if (!pair) throw new Error(`no fixture "${name}"`);
  return pair;
}

const json = (stdout: string) => JSON.parse(stdout) as Record<string, unknown>;
const speaker = (uri: string, start: number, duration: number, label: string) =>
  `SPEAKER ${uri} 1 ${start} ${duration} <NA> <NA> ${label} <NA> <NA>\n`;

describe('the score command as a process', () => {
  const run = (...args: string[]) =>
    // Bypass npx, because npm writes warnings to stderr on some machines.
    spawnSync(process.execPath, ['--import', 'tsx', 'cli/score.ts', ...args], { cwd: ROOT, encoding: 'utf8' });

  it('prints the score as JSON and nothing else', { timeout: 60_000 }, () => {
    const pair = pairNamed('UEM, collar and no overlaps');
    const options = ['--collar', '0.5', '--skip-overlap', '--uem', file(pair.uem ?? '')];
    const { status, stdout, stderr } = run(file(pair.reference), file(pair.hypothesis), ...options);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = json(stdout);
    expect(Math.abs(Number(found.der) - pair.expected.der)).toBeLessThan(1e-6);
    expect(Math.abs(Number(found.jer) - pair.expected.jer)).toBeLessThan(1e-9);
    expect(Math.abs(Number(found.total) - pair.expected.total)).toBeLessThan(1e-6);
    expect(found.mapping).toEqual(pair.expected.mapping);
    const rates = Number(found.missedSpeechRate) + Number(found.falseAlarmRate) + Number(found.confusionRate);
    expect(rates).toBeCloseTo(pair.expected.der, 9);
  });

  it('exits with 1 and one line on stderr for an invalid line', { timeout: 60_000 }, () => {
    const bad = file(speaker('a', 0, 1, 'x') + speaker('a', 1, -1, 'x'));
    const { status, stdout, stderr } = run(bad, bad);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^score: .*txt: Line 2 .*\n$/);
  });

  it('exits with 2 and prints the usage if a file argument is missing', { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = run('only.rttm');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^score: Files given: 1\. .*\n\nUsage: /);
  });
});

describe('main of the score command', () => {
  const reference = file(speaker('talk', 0, 10, 'a'));

  it('accepts an empty hypothesis', () => {
    const { exitCode, stdout } = main([reference, file('')]);
    expect(exitCode).toBe(0);
    expect(json(stdout)).toEqual({
      der: 1,
      jer: 1,
      missedSpeech: 10,
      falseAlarm: 0,
      confusion: 0,
      correct: 0,
      total: 10,
      missedSpeechRate: 1,
      falseAlarmRate: 0,
      confusionRate: 0,
      mapping: {},
    });
  });

  it('computes rates like der if the reference is empty', () => {
    const [all, nothing] = [main([file(''), reference]), main([file(''), file('')])];
    expect(json(all.stdout)).toMatchObject({ der: 1, falseAlarmRate: 1, missedSpeechRate: 0, total: 0 });
    expect(json(nothing.stdout)).toMatchObject({ der: 0, falseAlarmRate: 0, mapping: {} });
  });

  it('compares two single recordings with different names', () => {
    const hypothesis = file(speaker('talk.wav', 0, 8, 'x'));
    expect(json(main([reference, hypothesis]).stdout)).toMatchObject({ der: 0.2, jer: 0.2, mapping: { x: 'a' } });
  });

  it('sums several recordings, with a mapping for each, and lists omitted recordings', () => {
    const many = file(speaker('one', 0, 10, 'a') + speaker('two', 0, 10, 'a'));
    const guess = file(speaker('one', 0, 5, 'x') + speaker('two', 0, 10, 'y') + speaker('three', 0, 10, 'y'));
    const { exitCode, stdout, stderr } = main([many, guess]);
    expect(exitCode).toBe(0);
    expect(json(stdout)).toMatchObject({ der: 0.25, jer: 0.25, total: 20, mapping: { one: { x: 'a' }, two: { y: 'a' } } });
    expect(stderr).toBe('score: not in the reference, left out: three\n');
  });

  it('lists recordings missing from the hypothesis', () => {
    const many = file(speaker('one', 0, 10, 'a') + speaker('two', 0, 10, 'a'));
    expect(main([many, file(speaker('one', 0, 10, 'x'))]).stderr).toBe('score: not in the hypothesis, counted as missed: two\n');
    expect(main([reference, file('')]).stderr).toBe('score: not in the hypothesis, counted as missed: talk\n');
  });

  it('prints a note if nothing was scored', () => {
    const note = /^score: the reference has no speech in the scored regions/;
    expect(main([file(''), reference]).stderr).toMatch(note);
    expect(main([reference, reference, '--collar', '100']).stderr).toMatch(note);
    expect(main([reference, reference, '--uem', file('talk 1 20 30\n')]).stderr).toMatch(note);
    expect(main([reference, reference]).stderr).toBe('');
  });

  it('reads the same files as the page: UTF-16, windows-1252 with a note, names with spaces', () => {
    const inCase = (name: string) => join(ROOT, 'src/formats/fixtures/cases', name);
    const text = 'SPEAKER mono_vocals 1 0.480 2.000 <NA> <NA> Zoë <NA> <NA>\nSPEAKER mono_vocals 1 12.500 6.000 <NA> <NA> B <NA> <NA>\n';
    const latin = join(folder, 'latin.rttm');
    writeFileSync(latin, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
    const utf16 = main([inCase('utf16_from_powershell.rttm'), latin]);
    expect(json(utf16.stdout)).toMatchObject({ total: 8, confusion: 0, falseAlarm: 3, missedSpeech: 3, mapping: { Zoë: 'A', B: 'B' } });
    expect(utf16.stderr).toMatch(/^score: .*latin\.rttm is not UTF-8 and was read as windows-1252\. Check accented letters/);
    const spaced = main([inCase('nemo_file_name_with_space.rttm'), inCase('utf16_from_powershell.rttm')]);
    expect(json(spaced.stdout)).toMatchObject({ der: 0, mapping: { A: 'speaker_0', B: 'speaker_1' } });
    const named = main([inCase('speaker_names_with_spaces.rttm'), inCase('speaker_names_with_spaces.rttm')]);
    expect(json(named.stdout)).toMatchObject({ der: 0, mapping: { 'John Smith': 'John Smith', 'John Doe': 'John Doe' } });
  });

  it('prints its usage for --help', () => {
    const { exitCode, stdout, stderr } = main(['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: .*--collar/s);
  });

  it.each([
    [[], /^score: Files given: 0/],
    [[reference, reference, reference], /^score: Files given: 3/],
    [[reference, reference, '--collar', '-1'], /^score: /],
    [[reference, reference, '--collar=-1'], /^score: --collar is "-1"/],
    [[reference, reference, '--collar='], /^score: --collar is ""/],
    [[reference, reference, '--collar', 'wide'], /^score: --collar is "wide"/],
    [[reference, reference, '--colar', '1'], /^score: .*--colar/],
  ])('shows the usage for the arguments %j', (args, found) => {
    const { exitCode, stdout, stderr } = main(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(found);
    expect(stderr).toContain('Usage: ');
  });

  it.each([
    ['a missing file', [reference, join(folder, 'nowhere.rttm')], /nowhere\.rttm.*no such file/],
    ['a folder', [folder, reference], /voxlane-score-.*directory/],
    ['a bad UEM', [reference, reference, '--uem', file('talk 1 5 4\n')], /Line 1 ends before it starts/],
    ['another format', [reference, file('{}')], /Line 1 does not start with an RTTM record type/],
  ])('prints a one-line error for %s', (_name, args, found) => {
    const { exitCode, stdout, stderr } = main(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(found);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
