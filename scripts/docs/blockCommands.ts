/** Commands of the documentation that are run in a clone of the repository. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordOf, type Run } from './fences';
import { ROOT } from './pages';

/**
 * Commands that take long or need files that nobody has, by the script of package.json, and the test that runs each; of
 * those without one, only the options are looked at.
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
};

/** What a command printed and how it ended. */
export interface Ended {
  readonly command: string;
  readonly stdout: string;
  readonly status: number | null;
  readonly expectedStatus: number;
}

/** Runs the commands of a group in a folder that looks like a clone and takes what they write. */
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
          if (status !== expectedStatus) throw new Error(`${command} ended with ${String(status)}:\n${stdout}\n${stderr}`);
          return { command, stdout, status, expectedStatus };
        }),
      );
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}

/**
 * What is wrong with commands that are not run here: scripts and tests that there are not, options that `--help` does
 * not know.
 */
export function faultsOfCommands({ fences }: Run): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
  const commands = fences.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.replaceAll('\\\n', ' ').split(/\n|&&/));
  return commands.map((command) => command.trim()).filter(Boolean).flatMap((command) => faultsOf(command, scripts));
}

function faultsOf(command: string, scripts: Readonly<Record<string, string>>): string[] {
  if (command === 'npm ci') return existsSync(join(ROOT, 'package-lock.json')) ? [] : [`${command}: there is no lock file`];
  const [, name, rest = ''] = /^npm (?:run )?(?:--silent )?([\w:]+)(?: -- (.*))?$/.exec(command) ?? [];
  if (name === undefined || scripts[name] === undefined) return [`${command}: package.json has no such script`];
  const test = TESTED_BY[name];
  if (test === undefined) return [`${command}: no test is known to run it`];
  if (test !== null && !runs(test, name, scripts[name])) return [`${command}: ${test} does not run it`];
  const options = rest.match(/--[\w-]+/g) ?? [];
  if (options.length === 0) return [];
  const { stdout, status } = helpOf(name);
  // A script without help says what it takes to `parseArgs` only.
  const [file] = /[\w/]+\.ts\b/.exec(scripts[name]) ?? [];
  if (status !== 0 && file === undefined) return [`${command}: --help ends with ${String(status)}`];
  const known = status === 0 ? stdout : readFileSync(join(ROOT, file!), 'utf8').replace(/'?\b([\w-]+)'?: \{ type: '/g, '--$1 ');
  return options.filter((option) => !known.includes(option)).map((option) => `${command}: there is no ${option}`);
}

const helps = new Map<string, { readonly stdout: string; readonly status: number | null }>();

/** What `--help` of a script prints, read once. */
function helpOf(name: string): { readonly stdout: string; readonly status: number | null } {
  const kept = helps.get(name);
  if (kept) return kept;
  const help = spawnSync('npm', ['run', '--silent', name, '--', '--help'], { cwd: ROOT, encoding: 'utf8' });
  helps.set(name, help);
  return help;
}

/** Whether a test's source names the script, or the file that it runs. */
function runs(test: string, name: string, script: string): boolean {
  const file = /([\w]+)\.ts\b/.exec(script)?.[1] ?? name;
  const path = join(ROOT, test);
  return existsSync(path) && new RegExp(`['/ ](${file}(\\.ts)?|npm ${name})['\\s]`).test(readFileSync(path, 'utf8'));
}
