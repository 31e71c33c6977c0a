/** Files of the benchmark in a clone of the repository. `scripts/packGpuBench.ts` replaces this module by `packedPlace.ts`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { loadNodeEngine } from '../../cli/nodeEngine';
import type * as Library from '../../src/index';
import type { Program } from './options';
import type * as Pair from './pairModels';

const ROOT = join(import.meta.dirname, '../..');

export const PROGRAM: Program = { usage: 'npm run --silent bench:gpu --', canPair: true };

/** Contains `<model id>/manifest.json`. */
export const modelsFolder = (): string => join(ROOT, 'models');

/** Contains the graph of ResNet34 without weights. */
export const skeletonFolder = (): string => join(ROOT, 'e2e/fixtures/resnet34');

export const samplePath = (): string => join(ROOT, 'public/sample.wav');

/** The library's build for Node. */
export const loadEngine = (say: (line: string) => void): Promise<typeof Library> => loadNodeEngine(say);

/** Folders of the models and of ONNX Runtime, as addresses. */
export const pairFolders = (): { modelsBase: string; runtimeBase: string } => ({
  modelsBase: pathToFileURL(`${ROOT}/models/`).href,
  runtimeBase: pathToFileURL(`${ROOT}/node_modules/onnxruntime-web/dist/`).href,
});

/** Builds the part of a paired run that opens models, and loads it. */
export async function loadPair(): Promise<typeof Pair> {
  const { buildScriptForNode } = await import('../../scripts/package/code');
  const file = join(ROOT, `node_modules/.cache/voxlane-pair/pair-${process.pid}.mjs`);
  try {
    await buildScriptForNode('bench/dawn/pairModels.ts', file);
    return (await import(pathToFileURL(file).href)) as typeof Pair;
  } finally {
    rmSync(file, { force: true });
  }
}

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
