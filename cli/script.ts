import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isEnding } from './endings';
import { errorLine } from './errorLine';
import { print, say } from './output';

/** Output and exit code of a process. */
export interface Outcome<ExitCode extends number = number> {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command function if its module is the started script, but not if a test imports the module.
 *
 * @param address `import.meta.url` of the module
 */
export async function runScript(
  address: string,
  main: (args: readonly string[]) => Outcome | Promise<Outcome>,
): Promise<void> {
  const script = process.argv[1];
  // Module addresses use the real path, even if the checkout is reached through a link.
  if (script === undefined || address !== pathToFileURL(realpathSync(script)).href) return;
  const { exitCode, stdout, stderr } = await main(process.argv.slice(2));
  process.stderr.write(stderr);
  // process.exit could truncate pending output to a pipe.
  process.exitCode = exitCode;
  if (stdout === '') return;
  await print(stdout).catch((error: unknown) => {
    say(`${basename(script, '.ts')}: ${errorLine(error)}`);
    process.exitCode = Math.max(exitCode, 1);
  });
}

/** Runs a command that prints its own output. An error becomes one line on stderr and exit code `failureCode`. */
export async function runCommand(name: string, failureCode: number, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = failureCode;
    // Errors caused by the signal need no message.
    if (isEnding()) return;
    say(`${name}: ${errorLine(error)}`);
  }
}
