import { spawn } from 'node:child_process';

/** Output of a successful command. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in a folder.
 *
 * @param environment additional environment variables
 * @throws Error with the command's output if its exit status is not 0
 */
export function runIn(folder: string, command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...environment },
      shell: process.platform === 'win32',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve({ stdout, stderr });
      else reject(new Error(`${[command, ...args].join(' ')} ended with ${status ?? 'a signal'}:\n${stdout}${stderr}`));
    });
  });
}

/** A server in a separate process. */
export interface RunningServer {
  /** Address with a trailing slash. */
  readonly address: string;
  stop(): void;
}

/**
 * Starts a server command and waits for the address in its output.
 *
 * @throws Error with the command's output if it ends before that
 */
export function serveWith(folder: string, command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
  // A separate process group lets child processes end with it.
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...environment }, detached: true });
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid);
  };
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (data: Buffer): void => {
      output += data.toString();
      // Some commands color their output.
      // eslint-disable-next-line no-control-regex
      const match = /(http:\/\/(?:localhost|127\.0\.0\.1):\d+)\D/.exec(output.replace(/\u001b\[\d+m/g, ''));
      if (match) resolve({ address: `${match[1]!}/`, stop });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', () => {
      reject(new Error(`${[command, ...args].join(' ')} ended before it served:\n${output}`));
    });
  });
}
