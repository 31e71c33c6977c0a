import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a script of the project in a separate process and parses its JSON output. */
export async function runJson(script: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as unknown;
}
