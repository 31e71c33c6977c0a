import { join } from 'node:path';
import { rolldown, type OutputOptions, type RolldownOptions } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { kernels } from '../kernelsPlugin';
import { wasm } from '../wasmPlugin';
import { CODE_PACKAGE, COMMAND_ENTRIES, ENTRIES, NODE_ENTRIES, REPLACED, REPLACED_FOR_NODE, REPLACED_IN_COMMAND, ROOT } from './entries';
import { nodeThreads, replaceModules, textFiles, THREAD } from './plugins';

const WORKERS = ['clustering', 'compare', 'decode', 'embedding', 'segmentation', 'sortformer'];
const DIST = join(CODE_PACKAGE, 'dist');

/** External packages: the files, and React, of which a page can have only one copy. All others are bundled to keep import maps short. */
const EXTERNAL = ['voxlane-assets', 'react'];

/** Plugins shared by Vite and Rolldown. */
type Plugins = NonNullable<RolldownOptions['plugins']>;
const shared = (): Plugins => [kernels() as Plugins, wasm() as Plugins, textFiles()];

/** Builds one script per worker, without imports, so it can be copied anywhere. Minified, because users do not bundle it. */
export async function buildWorkers(): Promise<void> {
  for (const name of WORKERS) {
    await build(
      { input: join(ROOT, `workers/${name}.worker.ts`), plugins: shared() },
      { dir: join(DIST, 'voxlane/workers'), entryFileNames: `${name}.js`, codeSplitting: false, minify: true },
    );
  }
}

/** Builds the entries as readable code, with shared chunks in the same folder, because workers are located relative to them. */
export async function buildLibrary(): Promise<void> {
  await build(
    { input: inputs(), external: EXTERNAL, plugins: [replaceModules(REPLACED), shared()] },
    { dir: DIST, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  );
}

/** Builds the types of the entries. */
export async function buildTypes(): Promise<void> {
  await build(
    { input: inputs(), external: EXTERNAL, plugins: [dts({ emitDtsOnly: true, tsconfig: join(ROOT, 'tsconfig.json') })] },
    // For `[Symbol.dispose]`, because not every project includes this library.
    { dir: DIST, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', banner: '/// <reference lib="esnext.disposable" />' },
  );
}

/** Packages that the user installs if needed. */
const NODE_EXTERNAL = [...EXTERNAL, '@napi-rs/webcodecs', 'webgpu'];

/** Builds the entries and workers for Node. */
export async function buildForNode(folder = join(DIST, 'node')): Promise<void> {
  // Shared, because compiling the kernels takes seconds.
  const plugins: Plugins = [replaceModules(REPLACED_FOR_NODE), shared(), nodeThreads()];
  const external = NODE_EXTERNAL;
  for (const name of WORKERS) {
    await build(
      // The package declares that its modules have no side effects, but scripts of workers are nothing else.
      { input: THREAD + name, platform: 'node', external, plugins, treeshake: { moduleSideEffects: [{ test: /[\\/]workers[\\/]/, sideEffects: true }] } },
      { dir: join(folder, 'workers'), entryFileNames: `${name}.mjs`, codeSplitting: false, minify: true },
    );
  }
  await build(
    { input: inputs(NODE_ENTRIES), platform: 'node', external, plugins },
    { dir: folder, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  );
}

/** Builds a script that opens models in the thread of the program, in Node. @param input path of its module in the repository */
export async function buildScriptForNode(input: string, file: string): Promise<void> {
  await build(
    { input: join(ROOT, input), platform: 'node', external: NODE_EXTERNAL, plugins: [replaceModules(REPLACED_FOR_NODE), shared()] },
    { file, codeSplitting: false },
  );
}

/** Builds the command for Node, with a chunk for each part that is loaded on demand. */
export async function buildCommand(): Promise<void> {
  await build(
    // The dispatcher reads package.json for its version only.
    { input: inputs(COMMAND_ENTRIES), platform: 'node', external: NODE_EXTERNAL, plugins: [replaceModules(REPLACED_IN_COMMAND), shared()] },
    { dir: join(DIST, 'cli'), entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', minify: true },
  );
}

const inputs = (entries: Readonly<Record<string, string>> = ENTRIES): Record<string, string> =>
  Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(ROOT, path)]));

async function build(input: RolldownOptions, output: OutputOptions): Promise<void> {
  const bundle = await rolldown({
    platform: 'browser',
    tsconfig: join(ROOT, 'tsconfig.json'),
    // Expected: compiling the kernels takes seconds, and a worker can import modules statically that the page imports dynamically.
    checks: { bundlerTimings: false, ineffectiveDynamicImport: false },
    ...input,
    // A warning here could become a fault in every page that embeds the library.
    onLog: (level, log) => {
      // The directive of `voxlane/react` stays the first line of its script; e2e/full/react.spec.ts checks this.
      if (level === 'warn' && log.code !== 'MODULE_LEVEL_DIRECTIVE') throw new Error(`${log.code ?? ''} ${log.message}`);
    },
  });
  try {
    await bundle.write({ format: 'es', ...output });
  } finally {
    await bundle.close();
  }
}
