/** The packed GPU benchmark: complete without the repository, and below its size limit. The GPU itself is not used here. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const exec = promisify(execFile);
const TIMEOUT_MS = 600_000;

describe('the packed GPU benchmark', { timeout: TIMEOUT_MS }, () => {
  const root = mkdtempSync(join(tmpdir(), 'voxlane gpu bench '));
  // A copy, so that no path of the first folder can remain in it.
  const [packed, copy] = [join(root, 'packed'), join(root, 'a copy')];
  const { PATH } = process.env;
  const start = (...args: string[]) => exec(join(copy, 'run.sh'), args, { cwd: root, env: { PATH } });

  beforeAll(async () => {
    const { stdout } = await exec(process.execPath, ['--import', 'tsx', 'scripts/packGpuBench.ts', packed]);
    expect(stdout).toMatch(/: \d+\.\d MiB, limit 60 MiB\n$/);
    cpSync(packed, copy, { recursive: true });
    rmSync(packed, { recursive: true });
  }, TIMEOUT_MS);
  afterAll(() => { rmSync(root, { recursive: true, force: true }); });

  test.each([
    [['--hlp'], 'the flag --hlp does not exist. Did you mean --help?'],
    [['a', 'b'], 'the folders are ["a","b"]. Expected one folder, or none'],
    [['package.json'], `${join(process.cwd(), 'package.json')} is a file. Expected a new folder, or one that this command made`],
    [['src'], `${join(process.cwd(), 'src')} is not empty and has no run.sh. Expected a new folder, or one that this command made`],
  ])('is not packed with %j', async (args, problem) => {
    const packing = exec(process.execPath, ['--import', 'tsx', 'scripts/packGpuBench.ts', ...args]);
    await expect(packing).rejects.toMatchObject({ code: 2, stdout: '', stderr: `bench:gpu:pack: ${problem}\n` });
  });

  test('runs the engine, the models and the sample without anything else', async () => {
    const { stdout } = await start('--estimate', '--seconds', '11', '--speed', 'exact', '--json');
    const { estimates } = JSON.parse(stdout) as { readonly estimates: readonly { readonly embedding: string; readonly work: Record<string, { readonly dispatches: number; readonly batches: number }> }[] };
    expect(estimates.map(({ embedding }) => embedding)).toEqual([...Array<string>(3).fill('campplus-zh-en'), ...Array<string>(3).fill('wespeaker-resnet34-lm')]);
    // Two windows, with speech.
    for (const { embedding, work } of estimates) {
      const dispatches = embedding === 'campplus-zh-en' ? 185 : 79;
      expect(work).toMatchObject({ segmentation: { batches: 1, dispatches: 31 }, fbank: { dispatches: 2 }, embedding: { batches: 1, dispatches } });
    }
  });

  test('prints its help, and one line for a wrong option or a missing adapter', async () => {
    const { stdout: help } = await start('--help');
    expect(help).toMatch(/^Usage: \.\/run\.sh /);
    expect(help).not.toMatch(/npm|--pair/);
    await expect(start('--pair')).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^bench:gpu: --pair works only in a clone of the repository, .*\n$/) as string });
    await expect(start('--second', '3')).rejects.toMatchObject({ code: 2, stderr: 'bench:gpu: the flag --second does not exist. Did you mean --seconds?\n' });
    const missing = exec(join(copy, 'run.sh'), [], { cwd: root, env: { PATH, VK_ICD_FILENAMES: join(root, 'none.json') } });
    await expect(missing).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/(^|\n)bench:gpu: there is no WebGPU adapter\. Install .*\n$/) as string });
  });
});
