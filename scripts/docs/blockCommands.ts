/** Commands in the documentation that run in a clone of the repository. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordOf, type Run } from './fences';
import { ROOT } from './pages';

/**
 * Scripts in package.json that take long or need unavailable files, with the test that runs each one. For scripts without
 * a test (null), only the options are checked.
 */
const TESTED_BY: Readonly<Record<string, string | null>> = {
  start: 'e2e/full/freshClone.spec.ts',
  test: null,
  'test:full': null,
  docs: null,
  package: null,
  diarize: 'e2e/cli.spec.ts',
  replay: 'cli/replay.test.ts',
  score: 'cli/score.test.ts',
  evaluate: 'e2e/full/evaluateCommand.spec.ts',
  pictures: null,
  compare: 'e2e/full/compareCommand.spec.ts',
  bisect: 'e2e/full/compareCommand.spec.ts',
  audit: 'cli/audit.test.ts',
  stage: 'e2e/full/compare.spec.ts',
  'test:browsers': null,
  bench: null,
  'bench:peers': null,
  'bench:scale': null,
  'bench:profile': null,
  voxlane: 'test/full/slurm.test.ts',
};

/** Output and exit status of a command. */
export interface Ended {
  readonly command: string;
  readonly stdout: string;
  readonly status: number | null;
  readonly expectedStatus: number;
}

/** Runs the commands of a group in a folder that resembles a clone and receives their output files. */
export function runInClone({ fences }: Run): Ended[] {
  const clone = mkdtempSync(join(tmpdir(), 'voxlane-clone-'));
  try {
    for (const name of readdirSync(ROOT)) if (name !== '.git') symlinkSync(join(ROOT, name), join(clone, name));
    return fences
      .filter(({ language }) => language === 'sh')
      .flatMap((fence) =>
        fence.code.split('\n').filter(Boolean).map((command) => {
          const { stdout, stderr, status } = spawnSync(command, { cwd: clone, shell: true, encoding: 'utf8' });
          const expectedStatus = Number(wordOf(fence, 'exit') ?? 0);
          if (status !== expectedStatus) throw new Error(`${command} exited with ${String(status)}:\n${stdout}\n${stderr}`);
          return { command, stdout, status, expectedStatus };
        }),
      );
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}

/**
 * Finds faults in commands that are not run here: missing scripts and tests, and options that `--help` does not list.
 */
export function faultsOfCommands({ fences }: Run): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
  const commands = fences.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.replaceAll('\\\n', ' ').split(/\n|&&/));
  return commands.map((command) => command.trim()).filter(Boolean).flatMap((command) => faultsOf(inClone(command), scripts));
}

/** In a clone, the command of the package is a script. */
const inClone = (command: string): string => command.replace(/^npx voxlane /, 'npm run --silent voxlane -- ');

function faultsOf(command: string, scripts: Readonly<Record<string, string>>): string[] {
  if (command === 'npm ci') return existsSync(join(ROOT, 'package-lock.json')) ? [] : [`${command}: there is no lock file`];
  const [, name, rest = ''] = /^npm (?:run )?(?:--silent )?([\w:]+)(?: -- (.*))?$/.exec(command) ?? [];
  if (name === undefined || scripts[name] === undefined) return [`${command}: the script does not exist in package.json`];
  const test = TESTED_BY[name];
  if (test === undefined) return [`${command}: no test is registered for it`];
  if (test !== null && !runs(test, name, scripts[name])) return [`${command}: ${test} does not run it`];
  const [subcommand = ''] = name === 'voxlane' ? (/^corpus \w+|^\w+/.exec(rest) ?? []) : [];
  // Options after `--` belong to another command.
  const options = rest.split(' -- ')[0]!.match(/--[\w-]+/g) ?? [];
  if (options.length === 0) return [];
  const { stdout, status } = helpOf(name, subcommand);
  // The options of scripts without help are only in the call of `parseArgs`.
  const [file] = /[\w/]+\.ts\b/.exec(scripts[name]) ?? [];
  if (status !== 0 && file === undefined) return [`${command}: --help exits with ${String(status)}`];
  const known = status === 0 ? stdout : readFileSync(join(ROOT, file!), 'utf8').replace(/'?\b([\w-]+)'?: \{ type: '/g, '--$1 ');
  return options.filter((option) => !known.includes(option)).map((option) => `${command}: unknown option ${option}`);
}

const helps = new Map<string, { readonly stdout: string; readonly status: number | null }>();

/** Output of `--help` of a script, cached. */
function helpOf(name: string, subcommand: string): { readonly stdout: string; readonly status: number | null } {
  const key = `${name} ${subcommand}`;
  const kept = helps.get(key);
  if (kept) return kept;
  const help = spawnSync('npm', ['run', '--silent', name, '--', ...subcommand.split(' ').filter(Boolean), '--help'], { cwd: ROOT, encoding: 'utf8' });
  helps.set(key, help);
  return help;
}

/** Whether a test's source mentions the script or its file. */
function runs(test: string, name: string, script: string): boolean {
  const file = /([\w]+)\.ts\b/.exec(script)?.[1] ?? name;
  const path = join(ROOT, test);
  return existsSync(path) && new RegExp(`['/ ](${file}(\\.ts)?|npm ${name})['\\s]`).test(readFileSync(path, 'utf8'));
}
