import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

/** Bundles `stubWorker.ts` into one script. @returns its path, alone in a temporary folder */
export async function buildStubWorker(): Promise<string> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'voxlane-test-')), 'worker.mjs');
  symlinkSync(resolve('node_modules'), join(dirname(outfile), 'node_modules'));
  await bundleForNode({ entryPoints: ['test/corpus/stubWorker.ts'], outfile });
  return outfile;
}

/** Bundles sources into one script, which starts several times faster than the sources. Packages are loaded at run time. */
export async function bundleForNode(options: BuildOptions): Promise<void> {
  await build({ ...options, bundle: true, packages: 'external', platform: 'node', format: 'esm', external: ['*/audio/decode'] });
}
