/** Commands in the documentation that run in a clone of the repository. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordOf, type Run } from './fences';
import { ROOT } from './pages';

/** Output and exit status of a command. */
export interface Ended {
  readonly command: string;
  readonly stdout: string;
  readonly status: number | null;
  readonly expectedStatus: number;
}

/** Runs the commands of a group in a folder that resembles a clone and receives their output files. */
export function runInClone({ fences }: Run): Ended[] {
  const clone = mkdtempSync(join(tmpdir(), 'voxlane-clone-'));
  try {
    for (const name of readdirSync(ROOT)) if (name !== '.git') symlinkSync(join(ROOT, name), join(clone, name));
    return fences
      .filter(({ language }) => language === 'sh')
      .flatMap((fence) =>
        fence.code.split('\n').filter(Boolean).map((command) => {
          const { stdout, stderr, status } = spawnSync(command, { cwd: clone, shell: true, encoding: 'utf8' });
          const expectedStatus = Number(wordOf(fence, 'exit') ?? 0);
          if (status !== expectedStatus) throw new Error(`${command} exited with ${String(status)}:\n${stdout}\n${stderr}`);
          return { command, stdout, status, expectedStatus };
        }),
      );
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}
