/** Runs code blocks with commands and files in one folder. Commands are unchanged, except for the package source. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Fence, Run } from './fences';
import { ROOT } from './pages';

/** Server commands, with the change that lets them choose a free port. */
const SERVERS: readonly (readonly [RegExp, (command: string) => string])[] = [
  [/^npx voxlane serve( \S+)?$/, (command) => `${command}${command.endsWith('serve') ? ' .' : ''} 0`],
  [/^npx vite( preview)?$/, (command) => `${command} --host 127.0.0.1 --port 0`],
];
/** Tools that readers install from the registry and tests link from the repository. */
const TOOL = /^npm install --save-dev ((?:vite|esbuild)\b.*)$/;

/** A folder in which the blocks of a run were written and executed. */
export interface BlockFolder {
  /** Served pages, in the order of the blocks: address of the server, and the pages written before it started. */
  readonly served: readonly { readonly address: string; readonly pages: readonly Fence[] }[];
  close(): void;
}

/**
 * @param given files that the folder has from the start, by name
 * @throws Error if a command exits with a status other than 0
 */
export async function runFolder({ fences }: Run, given: Readonly<Record<string, Uint8Array>> = {}): Promise<BlockFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-folder-'));
  for (const [name, content] of Object.entries(given)) writeFileSync(join(folder, name), content);
  const servers: ChildProcess[] = [];
  const served: { address: string; pages: Fence[] }[] = [];
  const pages: Fence[] = [];
  const close = (): void => {
    for (const { pid } of servers) if (pid !== undefined) process.kill(-pid);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const fence of fences) {
      if (fence.path !== null) {
        mkdirSync(dirname(join(folder, fence.path)), { recursive: true });
        writeFileSync(join(folder, fence.path), `${fence.code}\n`);
        if (fence.language === 'html') pages.push(fence);
      }
      for (const command of fence.language === 'sh' ? fence.code.split('\n').filter(Boolean) : []) {
        const server = SERVERS.find(([pattern]) => pattern.test(command));
        if (server) served.push({ address: await serve(server[1](command), folder, servers), pages: [...pages] });
        else runOnce(command, folder);
      }
    }
    return { served, close };
  } catch (error) {
    close();
    throw error;
  }
}

function runOnce(command: string, folder: string): void {
  const tools = TOOL.exec(command)?.[1]?.split(' ');
  if (tools) {
    link(tools, folder);
    return;
  }
  const packages = ['voxlane-assets', 'voxlane'].map((name) => join(ROOT, 'packages', name)).join(' ');
  const local = command.replace(/^npm install voxlane$/, `npm install --offline --no-audit --no-fund --install-links ${packages}`);
  const { status, stdout, stderr } = spawnSync(local, { cwd: folder, shell: true, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} exited with ${String(status)}:\n${stdout}\n${stderr}`);
}

function link(tools: readonly string[], folder: string): void {
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  for (const tool of tools) {
    symlinkSync(join(ROOT, 'node_modules', tool), join(folder, 'node_modules', tool));
    symlinkSync(join(ROOT, 'node_modules', '.bin', tool), join(folder, 'node_modules', '.bin', tool));
  }
}

/** @returns the printed address with a trailing slash */
function serve(command: string, folder: string, servers: ChildProcess[]): Promise<string> {
  // A separate process group lets child processes of npx end with it.
  const server = spawn(command, { cwd: folder, shell: true, detached: true, env: { ...process.env, NO_COLOR: '1' } });
  servers.push(server);
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (data: Buffer): void => {
      output += data.toString();
      const [address] = /http:\/\/[\w.]+:\d+/.exec(output) ?? [];
      if (address !== undefined) resolve(`${address}/`);
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.on('exit', (status) => {
      reject(new Error(`${command} exited with ${String(status)} before it served:\n${output}`));
    });
  });
}
