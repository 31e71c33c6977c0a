import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isEnding } from './endings';
import { errorLine } from './errorLine';
import { print, warn } from './output';
import { USAGE_EXIT, UsageError } from './usage';

/** Output and exit code of a process. */
export interface Outcome<ExitCode extends number = number> {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command with its arguments. Prints its own output and returns the exit status; never rejects. */
export type Command = (args: readonly string[]) => Promise<number>;

/** What each module of a command exports. */
export interface CommandModule {
  readonly run: Command;
  /** Lists all flags, each on a line of its own: `  --name VALUE  text`. Shell completion reads the flags from it. */
  readonly HELP: string;
}

export interface TableEntry {
  /** One word, or two with a space: `corpus plan`. */
  readonly name: string;
  readonly summary: string;
  /** Imports the module on demand, so that the help of all commands appears quickly. */
  readonly load: () => Promise<CommandModule>;
}

/** Runs a command if its module is the started script, but not if another module imports it. @param address its `import.meta.url` */
export async function runScript(address: string, command: Command): Promise<void> {
  const script = process.argv[1];
  // Module addresses use the real path, even if the checkout is reached through a link.
  if (script === undefined || address !== pathToFileURL(realpathSync(script)).href) return;
  // process.exit could truncate pending output to a pipe.
  process.exitCode = await command(process.argv.slice(2));
}

/** A command that prints at its end. Standard output that cannot be written becomes one line on standard error. */
export function commandOfOutcome(name: string, main: (args: readonly string[]) => Outcome | Promise<Outcome>): Command {
  return async (args) => {
    const { exitCode, stdout, stderr } = await main(args);
    process.stderr.write(stderr);
    if (stdout === '') return exitCode;
    try {
      await print(stdout);
      return exitCode;
    } catch (error) {
      warn(`${name}: ${errorLine(error)}`);
      return Math.max(exitCode, 1);
    }
  };
}

/** A command that prints its output itself. An error becomes one line on standard error, and the exit status `failureCode`. */
export function commandOf(name: string, failureCode: number, main: Command): Command {
  return async (args) => {
    try {
      return await main(args);
    } catch (error) {
      // Errors caused by the signal need no message.
      if (!isEnding()) warn(`${name}: ${errorLine(error)}`);
      return error instanceof UsageError ? USAGE_EXIT : failureCode;
    }
  };
}

/** Runs a program that is not imported by others. An error becomes one line on stderr and exit code `failureCode`. */
export async function runCommand(name: string, failureCode: number, main: () => Promise<number>): Promise<void> {
  process.exitCode = await commandOf(name, failureCode, main)([]);
}
