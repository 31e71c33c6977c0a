/** Tests commands in separate processes: closed pipes, signals, and simultaneous builds. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleForNode } from '../test/corpus/buildWorker';
import { itUnless } from '../test/skips';

let scripts: string;
beforeAll(() => {
  scripts = mkdtempSync(join(tmpdir(), 'voxlane-test-'));
  symlinkSync(resolve('node_modules'), join(scripts, 'node_modules'));
});
afterAll(() => { rmSync(scripts, { recursive: true, force: true }); });

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script that imports modules of the commands. `onOutput` can kill it or close its pipes. */
async function runScript(lines: string, onOutput: (child: ReturnType<typeof spawn>, text: string) => void = () => undefined, stdout: 'pipe' | number = 'pipe'): Promise<Ended> {
  const path = join(scripts, `script-${Math.random()}.mjs`);
  await bundleForNode({ stdin: { contents: lines, resolveDir: resolve('cli'), loader: 'ts' }, outfile: path });
  const child = spawn(process.execPath, [path], { stdio: ['ignore', stdout, 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString();
    onOutput(child, out);
  });
  child.stderr!.on('data', (data: Buffer) => { err += data.toString(); });
  return new Promise((done) => {
    child.on('close', (code, signal) => { done({ code, signal, stdout: out, stderr: err }); });
  });
}

const PRINTS = `
  import { print } from './output';
  import { runCommand } from './script';
  await runCommand('test', 1, async () => {
    for (let line = 0; line < 1e5; line++) await print('a line of the result, again and again\\n');
    return 0;
  });`;

test('a pipe that closes early, as with head, causes a one-line error without stack trace', async () => {
  const { code, stderr } = await runScript(PRINTS, (child) => { child.stdout!.destroy(); });
  expect(stderr).toBe('test: standard output cannot be written: its reader has closed it\n');
  expect(code).toBe(1);
});

test('the same applies to a command that prints everything at its end', async () => {
  const lines = `
    import { print } from './output';
    import { commandOfOutcome, runScript } from './script';
    process.stdout.write('first\\n');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await runScript(import.meta.url, commandOfOutcome('test', () => ({ exitCode: 0, stdout: 'x'.repeat(1e6), stderr: '' })));`;
  const { code, stderr } = await runScript(lines, (child) => { child.stdout!.destroy(); });
  expect(stderr).toMatch(/^test: standard output cannot be written: its reader has closed it\n$/);
  expect(code).toBe(1);
});

itUnless(existsSync('/dev/full') ? null : 'there is no /dev/full')('a full disk behind standard output causes a one-line error', async () => {
  const { code, stderr } = await runScript(PRINTS, undefined, openSync('/dev/full', 'w'));
  expect(stderr).toBe('test: standard output cannot be written: no space is left on the disk\n');
  expect(code).toBe(1);
});

test('a closed standard error does not stop the command', async () => {
  const lines = `
    import { print, say } from './output';
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (let line = 0; line < 100; line++) { say('progress'); await new Promise((resolve) => setTimeout(resolve)); }
    await print('the result');`;
  const child = runScript(`process.stdout.write('.');\n${lines}`, (started) => { started.stderr!.destroy(); });
  expect(await child).toMatchObject({ code: 0, stdout: '.the result' });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)('%s removes temporary folders, runs the registered cleanup, and ends the process with the same signal', async (wanted) => {
  const lines = `
    import { writeFileSync } from 'node:fs';
    import { onEnding, temporaryFolder } from './endings';
    onEnding(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      writeFileSync(${JSON.stringify(join(folder, 'ended'))}, '');
    });
    const made = temporaryFolder();
    writeFileSync(made + '/large.zip', 'x');
    process.stdout.write(made + '\\n');
    setInterval(() => undefined, 1000);`;
  const { signal, stdout } = await runScript(lines, (child) => { child.kill(wanted); });
  expect(signal).toBe(wanted);
  expect(stdout.trim()).toContain('voxlane-');
  expect(existsSync(stdout.trim())).toBe(false);
  expect(existsSync(join(folder, 'ended'))).toBe(true);
});

test('an interrupted command writes its report files once, with the results so far', async () => {
  const path = join(folder, 'report.json');
  const lines = `
    import { withReports } from './compareReports';
    import { runCommand } from './script';
    const done = [];
    await runCommand('test', 2, () => withReports([{ path: ${JSON.stringify(path)}, text: () => JSON.stringify(done) }], async () => {
      done.push('a');
      process.stdout.write('ready');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      return 0;
    }));`;
  const { signal, stderr } = await runScript(lines, (child) => { child.kill('SIGINT'); });
  expect({ signal, stderr }).toEqual({ signal: 'SIGINT', stderr: '' });
  expect(readFileSync(path, 'utf8')).toBe('["a"]');
});

test('only one process builds at a time, and the next one finds the result', async () => {
  mkdirSync(join(folder, 'node_modules'));
  const log = join(folder, 'log');
  writeFileSync(log, '');
  const lines = `
    import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
    import { withBuildLock } from './buildLock';
    const folder = ${JSON.stringify(folder)};
    await withBuildLock(folder, () => undefined, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ');
      if (!existsSync(folder + '/dist')) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        writeFileSync(folder + '/dist', '');
        appendFileSync(${JSON.stringify(log)}, 'built ');
      }
      appendFileSync(${JSON.stringify(log)}, 'out ');
    });`;
  const ended = await Promise.all([runScript(lines), runScript(lines), runScript(lines)]);
  expect(ended).toMatchObject([{ code: 0, stderr: '' }, { code: 0, stderr: '' }, { code: 0, stderr: '' }]);
  expect(readFileSync(log, 'utf8')).toBe('in built out in out in out ');
});
