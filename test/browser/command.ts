import { spawn } from 'node:child_process';

/** Exit status and output of a command. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of `cli/` in a separate process. */
export function runCommand(name: string, ...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', `cli/${name}.ts`, ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a command until its standard output contains `text`, then sends it a signal. */
export function runUntil(text: string, signal: NodeJS.Signals, name: string, ...args: string[]): Promise<Finished & { readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', `cli/${name}.ts`, ...args]);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
      if (stdout.includes(text)) child.kill(signal);
    });
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('close', (code, ended) => {
      resolve({ code, stdout, stderr, signal: ended });
    });
  });
}
