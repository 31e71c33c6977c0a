/** Checks commands in the documentation that are not run. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../cli/commandTable';
import type { Run } from './fences';
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
  diarize: 'e2e/full/diarizeCommand.spec.ts',
  replay: 'cli/replay.test.ts',
  score: 'cli/score.test.ts',
  evaluate: 'e2e/full/evaluateCommand.spec.ts',
  pictures: null,
  compare: 'e2e/full/compareCommand.spec.ts',
  bisect: 'e2e/full/compareCommand.spec.ts',
  audit: 'cli/audit.test.ts',
  stage: 'test/full/compareCommand.test.ts',
  'test:browsers': null,
  bench: null,
  'bench:peers': null,
  'bench:scale': null,
  'bench:profile': null,
  voxlane: 'test/full/slurm.test.ts',
};

/**
 * Finds faults in commands that are not run here: missing scripts and tests, and options that `--help` does not list.
 */
export async function faultsOfCommands({ fences }: Run): Promise<string[]> {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
  const commands = fences.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.replaceAll('\\\n', ' ').split(/\n|&&/));
  const faults = commands.map((command) => command.trim()).filter(Boolean).map((command) => faultsOf(inClone(command), scripts));
  return (await Promise.all(faults)).flat();
}

/** In a clone, the command of the package is a script. */
const inClone = (command: string): string => command.replace(/^npx voxlane /, 'npm run --silent voxlane -- ');

async function faultsOf(command: string, scripts: Readonly<Record<string, string>>): Promise<string[]> {
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
  // The options of scripts without help are only in the call of `parseArgs`.
  const [file] = /[\w/]+\.ts\b/.exec(scripts[name]) ?? [];
  const entry = COMMANDS.find((each) => each.name === (name === 'voxlane' ? subcommand : name));
  if (!entry && file === undefined) return [`${command}: the script has neither a help nor a file`];
  const known = entry ? (await entry.load()).HELP : readFileSync(join(ROOT, file!), 'utf8').replace(/'?\b([\w-]+)'?: \{ type: '/g, '--$1 ');
  return options.filter((option) => !known.includes(option)).map((option) => `${command}: unknown option ${option}`);
}

/** Whether a test's source mentions the script or its file. */
function runs(test: string, name: string, script: string): boolean {
  const file = /([\w]+)\.ts\b/.exec(script)?.[1] ?? name;
  const path = join(ROOT, test);
  return existsSync(path) && new RegExp(`['/ ](${file}(\\.ts)?|npm ${name})['\\s]`).test(readFileSync(path, 'utf8'));
}
