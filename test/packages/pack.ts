import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runIn } from './runIn';

export const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['voxlane', 'voxlane-assets'] as const;
/** Inside the repository, because module resolution finds bundlers and frameworks in its `node_modules`. */
const CONSUMER = join(ROOT, 'test-results/consumer');
const TARBALLS = join(ROOT, 'test-results/packages');
/** Sources of the packages. Changes trigger a rebuild. */
const SOURCES = ['src', 'workers', 'cli', 'scripts', 'models', 'public/goldens', 'LICENSE', 'THIRD_PARTY.md', 'CHANGELOG.md'];
const OWN_SOURCES = ['package.json', 'README.md', 'bin'];

/** Files of a package, as reported by `npm pack --json`. */
export interface Packed {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

let packed: Promise<string> | undefined;
let installed: Promise<string> | undefined;

/**
 * Folder with both packages as tarballs: `VOXLANE_PACKAGES` if set, else a folder built once for each version of the
 * sources.
 */
export function packPackages(): Promise<string> {
  packed ??= pack();
  return packed;
}

/** Files of a package that would be published. */
export async function packedFiles(name: (typeof PACKAGES)[number]): Promise<Packed> {
  await packPackages();
  const { stdout } = await runIn(join(ROOT, 'packages', name), 'npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
  const told = JSON.parse(stdout) as Packed[] | Record<string, Packed>;
  const [only] = Object.values(told);
  if (!only) throw new Error(`npm pack reported nothing about ${name}`);
  return only;
}

/**
 * Folder for projects that use the packages. npm installs them into its `node_modules` from their tarballs, so only packed
 * files are available.
 */
export function installPackages(): Promise<string> {
  installed ??= install();
  return installed;
}

async function pack(): Promise<string> {
  const given = process.env.VOXLANE_PACKAGES;
  if (given) return resolve(given);
  if (newest(tarballsIn(TARBALLS)) > newest(sources())) return TARBALLS;
  rmSync(TARBALLS, { recursive: true, force: true });
  mkdirSync(TARBALLS, { recursive: true });
  await runIn(ROOT, 'npm', ['run', 'package']);
  for (const name of PACKAGES) {
    await runIn(join(ROOT, 'packages', name), 'npm', ['pack', '--ignore-scripts', '--pack-destination', TARBALLS]);
  }
  return TARBALLS;
}

async function install(): Promise<string> {
  const tarballs = tarballsIn(await packPackages());
  if (tarballs.length !== PACKAGES.length) throw new Error(`${tarballs.length} tarballs instead of ${PACKAGES.length}`);
  const mark = join(CONSUMER, 'package.json');
  if (existsSync(mark) && newest([mark]) > newest(tarballs)) return CONSUMER;
  rmSync(CONSUMER, { recursive: true, force: true });
  mkdirSync(CONSUMER, { recursive: true });
  writeFileSync(mark, JSON.stringify({ name: 'consumer', private: true }));
  // A separate cache that is deleted with the results. In the user's cache, each build would remain forever.
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--cache', join(ROOT, 'test-results/npm-cache')];
  await runIn(CONSUMER, 'npm', ['install', ...quiet, ...tarballs]);
  // Vite's development server serves files above its project only inside a workspace. Use pnpm's format, because npm rejects
  // two copies of an example.
  writeFileSync(join(CONSUMER, 'pnpm-workspace.yaml'), "packages: ['*']\n");
  return CONSUMER;
}

/** The tarballs in a folder. */
export const tarballsIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.tgz')).map((file) => join(folder, file)) : [];

const sources = (): string[] => [
  ...SOURCES.map((path) => join(ROOT, path)),
  ...PACKAGES.flatMap((name) => OWN_SOURCES.map((path) => join(ROOT, 'packages', name, path))),
];

/** Latest modification time of the files, in milliseconds since 1970; 0 if there are none. */
function newest(paths: readonly string[]): number {
  return paths.reduce((latest, path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return latest;
    const inside = stat.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : 0;
    return Math.max(latest, stat.isDirectory() ? inside : stat.mtimeMs);
  }, 0);
}
