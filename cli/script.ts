import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isEnding } from './endings';
import { errorLine } from './errorLine';
import { print, say } from './output';

/** What a process is to print and to return. */
export interface Outcome<ExitCode extends number = number> {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command that is a function of its arguments, where its module is the script that was started: a test that
 * imports it starts nothing.
 *
 * @param address `import.meta.url` of the module
 */
export async function runScript(
  address: string,
  main: (args: readonly string[]) => Outcome | Promise<Outcome>,
): Promise<void> {
  const script = process.argv[1];
  // The real path, because that is what the module's own address is made of where a link leads to the checkout.
  if (script === undefined || address !== pathToFileURL(realpathSync(script)).href) return;
  const { exitCode, stdout, stderr } = await main(process.argv.slice(2));
  process.stderr.write(stderr);
  // Not process.exit: that could cut off what is still on its way into a pipe.
  process.exitCode = exitCode;
  if (stdout === '') return;
  await print(stdout).catch((error: unknown) => {
    say(`${basename(script, '.ts')}: ${errorLine(error)}`);
    process.exitCode = Math.max(exitCode, 1);
  });
}

/** Runs a command that prints as it goes; what it throws becomes one line, and `failureCode`. */
export async function runCommand(name: string, failureCode: number, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = failureCode;
    // Errors that the signal caused need no message.
    if (isEnding()) return;
    say(`${name}: ${errorLine(error)}`);
  }
}
