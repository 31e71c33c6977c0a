import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { CODE_PACKAGE, ENTRIES } from './entries';

/** Minified and compressed size of a part of the package. */
export interface Size {
  readonly part: string;
  readonly gzipBytes: number;
  readonly limitBytes: number;
}

/**
 * Maximum bytes of each part, a tenth above its size when the limit was set. The limits reveal growing dependencies. Raise a
 * limit together with a line in CHANGELOG.md that explains the benefit.
 */
const LIMITS: Readonly<Record<string, number>> = {
  index: 58_000,
  widget: 36_000,
  formats: 17_000,
  score: 4_000,
  compare: 20_500,
  react: 36_500,
  cli: 408_000,
  'workers/clustering.js': 33_500,
  'workers/compare.js': 263_000,
  'workers/decode.js': 235_000,
  'workers/embedding.js': 119_000,
  'workers/segmentation.js': 84_000,
  'workers/sortformer.js': 97_000,
};

/**
 * Sizes of the built package: for each entry, all code that a page loads initially; for each worker, its script; for the command,
 * all of its scripts.
 */
export async function measureSizes(): Promise<Size[]> {
  const dist = join(CODE_PACKAGE, 'dist');
  const entries = await Promise.all(
    Object.keys(ENTRIES).map(async (name) => {
      const script = join(dist, `${name}.js`);
      return { part: name, gzipBytes: await bundledBytes(`export * from ${JSON.stringify(script)};`) };
    }),
  );
  const folder = join(dist, 'voxlane/workers');
  const workers = readdirSync(folder).map((file) => ({ part: `workers/${file}`, gzipBytes: compressed(readFileSync(join(folder, file))) }));
  const scripts = readdirSync(join(dist, 'cli')).map((file) => readFileSync(join(dist, 'cli', file)));
  const command = { part: 'cli', gzipBytes: scripts.reduce((sum, script) => sum + compressed(script), 0) };
  return [...entries, command, ...workers].map((size) => ({ ...size, limitBytes: LIMITS[size.part] ?? 0 }));
}

/** Compressed size of a program that imports from the package, without code that it loads later. */
async function bundledBytes(program: string): Promise<number> {
  return compressed(await bundleText(program));
}

/** Bundles a program like a user's bundler: minified, without unused code, dynamic imports in separate chunks. */
export async function bundleText(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: CODE_PACKAGE, sourcefile: 'program.js' },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    write: false,
    outdir: 'out',
    external: ['voxlane-assets', 'react'],
    logLevel: 'silent',
  });
  const byPath = new Map(outputFiles.map(({ path, text }) => [path.slice(path.lastIndexOf('/') + 1), text]));
  // The first script with its static imports.
  const wanted = ['stdin.js'];
  for (const name of wanted) {
    for (const [, other] of (byPath.get(name) ?? '').matchAll(/(?:from|import)"\.\/([^"]+)"/g)) {
      if (other !== undefined && !wanted.includes(other)) wanted.push(other);
    }
  }
  return wanted.map((name) => byPath.get(name) ?? '').join('\n');
}

const compressed = (content: string | Uint8Array): number => gzipSync(content, { level: 9 }).length;

/** Readable text with one line per part. */
export function sizeReport(sizes: readonly Size[]): string {
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
  const lines = sizes.map(({ part, gzipBytes, limitBytes }) => `${part.padEnd(24)}${kilobytes(gzipBytes)} of ${kilobytes(limitBytes)}`);
  return ['sizes that a page loads, and of the command, minified and gzipped:', ...lines].join('\n');
}
