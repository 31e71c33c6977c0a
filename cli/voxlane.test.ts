import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { recordOutput } from '../test/outputMocks';
import { COMMANDS } from './commandTable';
import { bashScript, fishScript, flagsOf, zshScript } from './completion';
import { setQuiet } from './output';
import { run } from './voxlane';
import { itUnless } from '../test/skips';

afterEach(() => {
  vi.restoreAllMocks();
  setQuiet(false);
});

/** Runs the command in this process. */
async function voxlane(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = recordOutput();
  const code = await run(args);
  vi.restoreAllMocks();
  return { code, ...output };
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };

describe('the dispatcher', () => {
  test('lists all commands and prints the version', async () => {
    const { code, stdout, stderr } = await voxlane('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name, summary } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    expect(await voxlane('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each(['score', 'audit', 'replay', 'copy', 'serve', 'completion'])('%s --help prints its options', async (name) => {
    const { code, stdout } = await voxlane(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: voxlane ${name} `));
    expect(await voxlane('help', name)).toEqual({ code: 0, stdout, stderr: '' });
  });

  test.each([
    [[], 'voxlane: expected a command. Try --help\n'],
    [['diarise'], 'voxlane: there is no command diarise. Did you mean diarize?\n'],
    [['--verbose'], 'voxlane: the flag --verbose does not exist. Try --help\n'],
    [['copy'], 'copy: expected one folder. Try --help\n'],
    [['copy', '--hlep'], 'copy: the flag --hlep does not exist. Did you mean --help?\n'],
    [['serve', '.', '70000'], 'serve: the port is 70000. Expected a whole number from 0 to 65535\n'],
    [['completion', 'powershell'], 'completion: the shell is powershell. Expected bash or zsh or fish\n'],
  ])('%j is wrong usage', async (args, stderr) => {
    expect(await voxlane(...args)).toEqual({ code: 2, stdout: '', stderr });
  });

  test('--quiet is accepted by every command, before or after its name', async () => {
    const { stdout } = await voxlane('score', '--help');
    expect((await voxlane('--quiet', 'score', '--help')).stdout).toBe(stdout);
    expect((await voxlane('score', '--help', '-q')).stdout).toBe(stdout);
  });
});

describe('completion', () => {
  const commands = [
    { name: 'diarize', summary: 'find speakers', flags: flagsOf('\n  --speed exact|fast   how [much]\n  --out DIR  a folder\n  --json, --flat  text\n  --help, -h  print\n') },
    { name: 'corpus plan', summary: "the corpus' plan", flags: flagsOf('\n  --clustering preset|pyannote-3.1\n        of the preset\n') },
  ];

  test('flags are read from the help', () => {
    expect(commands.map(({ flags }) => flags.map(({ name, value, text }) => [name, value, text]))).toEqual([
      [['--speed', 'exact|fast', 'how [much]'], ['--out', 'DIR', 'a folder'], ['--json', null, 'text'], ['--flat', null, 'text'], ['--help', null, 'print'], ['--quiet', null, 'print only results and failures']],
      [['--clustering', 'preset|pyannote-3.1', 'of the preset'], ['--quiet', null, 'print only results and failures']],
    ]);
  });

  itUnless(spawnSync('bash', ['--version']).status !== 0 && 'bash is not installed')('bash completes commands, flags and values', () => {
    const complete = (...words: string[]): string => {
      const script = `${bashScript(commands)}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})\nCOMP_CWORD=${words.length - 1}\n_voxlane\necho "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim();
    };
    expect(complete('voxlane', '')).toBe('diarize corpus --help --version --quiet');
    expect(complete('voxlane', 'di')).toBe('diarize');
    expect(complete('voxlane', 'diarize', '--')).toBe('--speed --out --json --flat --help --quiet');
    expect(complete('voxlane', 'diarize', 'a.wav', '--speed', '')).toBe('exact fast');
    expect(complete('voxlane', 'diarize', 'a')).toBe('');
    expect(complete('voxlane', 'corpus', '')).toBe('plan');
    expect(complete('voxlane', 'corpus', 'plan', '--clustering', 'p')).toBe('preset pyannote-3.1');
  });

  test('zsh and fish describe flags, with quotes and brackets escaped', () => {
    expect(zshScript(commands)).toContain(String.raw`'*--speed=[how \[much\]]:exact|fast:(exact fast)' '*--out=[a folder]:DIR:_files -/' '--json[text]'`);
    expect(zshScript(commands)).toContain(String.raw`'plan:the corpus'\'' plan'`);
    expect(fishScript(commands)).toContain("complete -c voxlane -n '__fish_seen_subcommand_from diarize' -l speed -xa 'exact fast' -d 'how [much]'\n");
    expect(fishScript(commands)).toContain(String.raw`-a plan -d 'the corpus\' plan'`);
  });
});

test.each(COMMANDS.map(({ name, load }) => [name, load] as const))('the module of %s has a help with flags for completion', async (_, load) => {
  const { HELP } = await load();
  const flags = flagsOf(HELP);
  expect(flags.map(({ name }) => name)).toContain('--help');
  expect(flags.filter(({ text }) => text === '')).toEqual([]);
});
