/**
 * Command line: all commands under one name.
 *
 *     npm run --silent voxlane -- COMMAND …
 *     npx voxlane COMMAND …
 */
import { version } from '../package.json';
import { COMMANDS } from './commandTable';
import { print, setQuiet } from './output';
import { commandOf, runScript, type TableEntry } from './script';
import { nearestName, UsageError } from './usage';

/** Flags of every command. */
const GLOBAL_HELP = `  --quiet, -q    print only results and failures
  --help, -h     print the help of a command, or this text
  --version      print the version
`;

function help(entries: readonly TableEntry[], group: string): string {
  const width = Math.max(...entries.map(({ name }) => name.length));
  const lines = entries.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`);
  return `Usage: voxlane ${group}COMMAND [options]\n\n${lines.join('\n')}\n\n${GLOBAL_HELP}\nvoxlane COMMAND --help lists the options of a command.\n`;
}

/** @throws UsageError for an unknown command or flag */
async function main(args: readonly string[]): Promise<number> {
  const given = withoutQuiet(args);
  const [first, second] = given;
  if (first === undefined) throw new UsageError('expected a command. Try --help');
  if (first === '--version' || first === '-V') {
    await print(`${version}\n`);
    return 0;
  }
  if (isHelp(first)) return second === undefined || second.startsWith('-') ? printHelp(COMMANDS, '') : main([...given.slice(1), '--help']);
  const entry = COMMANDS.find(({ name }) => name === first);
  if (entry) return runEntry(entry, given.slice(1));
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0) {
    if (second !== undefined && isHelp(second)) return printHelp(group, `${first} `);
    const inGroup = group.find(({ name }) => name === `${first} ${second}`);
    if (inGroup) return runEntry(inGroup, given.slice(2));
    if (second === undefined) throw new UsageError(`expected a command after ${first}: ${group.map(({ name }) => name.slice(first.length + 1)).join(', ')}`);
    throw unknown(`there is no command ${first} ${second}`, `${first} ${second}`, group);
  }
  throw unknown(first.startsWith('-') ? `the flag ${first} does not exist` : `there is no command ${first}`, first, COMMANDS);
}

const isHelp = (arg: string): boolean => arg === '--help' || arg === '-h' || arg === 'help';

async function printHelp(entries: readonly TableEntry[], group: string): Promise<number> {
  await print(help(entries, group));
  return 0;
}

async function runEntry({ load }: TableEntry, args: readonly string[]): Promise<number> {
  const { run } = await load();
  return run(args);
}

function unknown(problem: string, name: string, entries: readonly TableEntry[]): UsageError {
  const near = nearestName(name, [...new Set(entries.flatMap((entry) => [entry.name, entry.name.split(' ')[0]!]))]);
  return new UsageError(`${problem}. ${near === null ? 'Try --help' : `Did you mean ${near}?`}`);
}

/** Removes `--quiet`, which all commands accept, and applies it. */
function withoutQuiet(args: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const isQuiet = (arg: string, index: number): boolean => index < end && (arg === '--quiet' || arg === '-q');
  if (args.some(isQuiet)) setQuiet(true);
  return args.filter((arg, index) => !isQuiet(arg, index));
}

export const run = commandOf('voxlane', 1, main);

await runScript(import.meta.url, run);
