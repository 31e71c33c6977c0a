import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runIn } from './runIn';

export const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['voxlane', 'voxlane-assets'] as const;
/** Inside the repository: bundlers and frameworks are found in its `node_modules`, by walking up. */
const CONSUMER = join(ROOT, 'test-results/consumer');
const TARBALLS = join(ROOT, 'test-results/packages');
/** What the packages are made of. A change there makes them anew. */
const SOURCES = ['src', 'workers', 'scripts', 'models', 'public/goldens', 'LICENSE', 'THIRD_PARTY.md', 'CHANGELOG.md'];
const OWN_SOURCES = ['package.json', 'README.md', 'bin'];

/** Files of a package, as `npm pack --json` tells. */
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
 * Folder with both packages as tarballs: the one that `VOXLANE_PACKAGES` names, else one that is made here, once for
 * each state of the sources.
 */
export function packPackages(): Promise<string> {
  packed ??= pack();
  return packed;
}

/** What of a package would be published. */
export async function packedFiles(name: (typeof PACKAGES)[number]): Promise<Packed> {
  await packPackages();
  const { stdout } = await runIn(join(ROOT, 'packages', name), 'npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
  const told = JSON.parse(stdout) as Packed[] | Record<string, Packed>;
  const [only] = Object.values(told);
  if (!only) throw new Error(`npm pack told nothing about ${name}`);
  return only;
}

/**
 * Folder for projects that use the packages: its `node_modules` has the two as npm installs them from their tarballs, so
 * that nothing but what is packed is there.
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
  if (tarballs.length !== PACKAGES.length) throw new Error(`${tarballs.length} tarballs in place of ${PACKAGES.length}`);
  const mark = join(CONSUMER, 'package.json');
  if (existsSync(mark) && newest([mark]) > newest(tarballs)) return CONSUMER;
  rmSync(CONSUMER, { recursive: true, force: true });
  mkdirSync(CONSUMER, { recursive: true });
  writeFileSync(mark, JSON.stringify({ name: 'consumer', private: true }));
  // A cache of its own, which goes with the results: each build would stay in the user's for ever.
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--cache', join(ROOT, 'test-results/npm-cache')];
  await runIn(CONSUMER, 'npm', ['install', ...quiet, ...tarballs]);
  // Vite's development server serves files above its project only inside of a workspace. Pnpm's, because npm would refuse
  // two copies of an example.
  writeFileSync(join(CONSUMER, 'pnpm-workspace.yaml'), "packages: ['*']\n");
  return CONSUMER;
}

const tarballsIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.tgz')).map((file) => join(folder, file)) : [];

const sources = (): string[] => [
  ...SOURCES.map((path) => join(ROOT, path)),
  ...PACKAGES.flatMap((name) => OWN_SOURCES.map((path) => join(ROOT, 'packages', name, path))),
];

/** When the last of the files was written, in milliseconds since 1970; 0 where there is none. */
function newest(paths: readonly string[]): number {
  return paths.reduce((latest, path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return latest;
    const inside = stat.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : 0;
    return Math.max(latest, stat.isDirectory() ? inside : stat.mtimeMs);
  }, 0);
}
