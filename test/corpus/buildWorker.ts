import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles `stubWorker.ts` into one script, which starts four times faster than the sources. @returns its path, alone in a temporary folder */
export async function buildStubWorker(): Promise<string> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'voxlane-test-')), 'worker.mjs');
  await build({ entryPoints: ['test/corpus/stubWorker.ts'], outfile, bundle: true, platform: 'node', format: 'esm', external: ['*/audio/decode'] });
  return outfile;
}
