/**
 * Plants faults in the sources, one at a time, and checks that `npm test` catches each:
 *
 *     npx tsx scripts/plantFaults.ts [--whole] [NAME…]
 *
 * Works on a copy of the repository. For each fault, it runs the unit tests that import the changed file and, if they
 * pass, the browser tests listed here. Both are part of `npm test`. With `--whole`, it runs all of `npm test` instead.
 * Exit status 1 if a fault is not caught or can no longer be planted.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, FAULTS } from './faults';

const ROOT = join(import.meta.dirname, '..');

/** Copies the tracked and untracked sources. Installed packages are linked. */
function copyRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-faults-'));
  const { stdout } = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  for (const path of stdout.split('\n').filter(Boolean)) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}

/** Whether a command of `npx` succeeds in `folder`. Its output is shown only if it cannot be started. */
function passes(folder: string, command: readonly string[]): boolean {
  const [file, args] = command[0] === 'npm' ? ['npm', command.slice(1)] : ['npx', ['--no-install', ...command]];
  const { status, error } = spawnSync(file, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, VOXLANE_TEST_PORT: process.env.VOXLANE_TEST_PORT ?? '4195' },
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  return status === 0;
}

/** The step of `npm test` that fails with the fault in place; null if all pass. */
function catcher(folder: string, { file, units, specs = [] }: Fault, whole: boolean): string | null {
  if (whole) return passes(folder, ['npm', 'test']) ? null : 'npm test';
  const unitCommand = units ? ['vitest', 'run', '--bail=1', ...units] : ['vitest', 'related', '--run', '--bail=1', file];
  if (!passes(folder, unitCommand)) return unitCommand.join(' ');
  if (specs.length === 0) return null;
  const specCommand = ['playwright', 'test', '--project=browser', '--max-failures=1', '--reporter=line', ...specs];
  return passes(folder, specCommand) ? null : specCommand.join(' ');
}

function main(): void {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const whole = process.argv.includes('--whole');
  const chosen = FAULTS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new Error(`Unknown fault name. Available faults: ${FAULTS.map(({ name }) => name).join('; ')}`);
  const folder = copyRepository();
  let missed = 0;
  try {
    // Otherwise, a broken copy would count as a caught fault.
    const related = ['vitest', 'related', '--run', ...chosen.map(({ file }) => file)];
    if (!whole && !passes(folder, related)) throw new Error('the tests fail without a fault');
    for (const fault of chosen) {
      const path = join(folder, fault.file);
      const source = readFileSync(path, 'utf8');
      if (source.split(fault.find).length !== 2) throw new Error(`${fault.name}: ${fault.file} does not contain the text once`);
      writeFileSync(path, source.replace(fault.find, () => fault.replace));
      const caught = catcher(folder, fault, whole);
      writeFileSync(path, source);
      if (caught === null) missed++;
      console.log(`${caught === null ? 'MISSED' : 'caught'}  ${fault.name} (${fault.file})${caught === null ? '' : `: ${caught}`}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${chosen.length - missed} of ${chosen.length} faults caught`);
  process.exitCode = missed === 0 ? 0 : 1;
}

main();
