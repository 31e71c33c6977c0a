import { join } from 'node:path';
import { rolldown, type OutputOptions, type RolldownOptions } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { kernels } from '../kernelsPlugin';
import { resampler } from '../resamplerPlugin';
import { CODE_PACKAGE, ENTRIES, ROOT } from './entries';
import { replaceModules, textFiles } from './plugins';

const WORKERS = ['clustering', 'compare', 'decode', 'embedding', 'segmentation'];
const DIST = join(CODE_PACKAGE, 'dist');

/** The only package that stays a package: all others are bundled, so that an import map need not know them. */
const EXTERNAL = ['voxlane-assets'];

/** Plugins that Vite and Rolldown share. */
type Plugins = NonNullable<RolldownOptions['plugins']>;
const shared = (): Plugins => [kernels() as Plugins, resampler() as Plugins, textFiles()];

/** One script a worker, without imports, so that it can be copied anywhere. Small, because nobody's bundler makes it so. */
export async function buildWorkers(): Promise<void> {
  for (const name of WORKERS) {
    await build(
      { input: join(ROOT, `workers/${name}.worker.ts`), plugins: shared() },
      { dir: join(DIST, 'voxlane/workers'), entryFileNames: `${name}.js`, codeSplitting: false, minify: true },
    );
  }
}

/** The entries, in readable code, with what they share in scripts beside them: workers are found from there. */
export async function buildLibrary(): Promise<void> {
  await build(
    { input: inputs(), external: EXTERNAL, plugins: [replaceModules(), shared()] },
    { dir: DIST, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  );
}

/** The entries' types. */
export async function buildTypes(): Promise<void> {
  await build(
    { input: inputs(), external: EXTERNAL, plugins: [dts({ emitDtsOnly: true, tsconfig: join(ROOT, 'tsconfig.json') })] },
    // For `[Symbol.dispose]`, which not every project's own list of libraries has.
    { dir: DIST, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', banner: '/// <reference lib="esnext.disposable" />' },
  );
}

const inputs = (): Record<string, string> =>
  Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(ROOT, path)]));

async function build(input: RolldownOptions, output: OutputOptions): Promise<void> {
  const bundle = await rolldown({
    platform: 'browser',
    tsconfig: join(ROOT, 'tsconfig.json'),
    // No news: compiling the kernels takes seconds, and what the page loads late a worker may have at once.
    checks: { bundlerTimings: false, ineffectiveDynamicImport: false },
    ...input,
    // What is only worth a warning elsewhere would be a fault in every page that embeds this.
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${log.code ?? ''} ${log.message}`);
    },
  });
  try {
    await bundle.write({ format: 'es', ...output });
  } finally {
    await bundle.close();
  }
}
