/** Files of the benchmark in a clone of the repository. `scripts/packGpuBench.ts` replaces this module by `packedPlace.ts`. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { loadNodeEngine } from '../../cli/nodeEngine';
import type * as Library from '../../src/index';

const ROOT = join(import.meta.dirname, '../..');

/** Contains `<model id>/manifest.json`. */
export const modelsFolder = (): string => join(ROOT, 'models');

export const samplePath = (): string => join(ROOT, 'public/sample.wav');

/** The library's build for Node. */
export const loadEngine = (say: (line: string) => void): Promise<typeof Library> => loadNodeEngine(say);

/** Address of the script that runs first in each thread. */
export async function meterAddress(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'bench/dawn/meterThread.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  return `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`;
}
