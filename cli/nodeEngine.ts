import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Library from '../src/index';
import { withBuildLock } from './buildLock';
import type * as Commands from './engine/nodeCommands';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The build for Node. The package has its own in `dist/node`. */
const FOLDER = join(ROOT, 'dist-node');
const SOURCES = ['src', 'workers', 'cli/engine', 'scripts/package', 'package-lock.json'];

/** Resolves to the folders of the repository in place of the package voxlane-assets. */
const ASSETS = `const at = (path) => new URL(path, import.meta.url).href;
export const files = {
  models: at('../../../models/'),
  runtime: at('../../../node_modules/onnxruntime-web/dist/'),
  goldens: at('../../../public/goldens/'),
};
`;

/** Loads the library for Node. In the package, `packagedNodeEngine.ts` replaces this module. */
export async function loadNodeEngine(say?: (line: string) => void): Promise<typeof Library> {
  return (await load('index.js', say)) as typeof Library;
}

/** Loads the work of the commands. */
export async function loadNodeCommands(say?: (line: string) => void): Promise<typeof Commands> {
  return (await load('commands.js', say)) as typeof Commands;
}

const load = async (name: string, say?: (line: string) => void): Promise<unknown> =>
  import(pathToFileURL(join(await nodeEngineFolder(say), name)).href);

/** Folder of the library for Node. Builds it first if it is missing or older than its sources; other processes wait. */
export async function nodeEngineFolder(say: (line: string) => void = () => undefined): Promise<string> {
  if (isStale()) {
    await withBuildLock(ROOT, () => { say('waiting for another command to finish building …'); }, async () => {
      if (!isStale()) return;
      say('building the engine for Node …');
      await buildEngine();
    });
  }
  return FOLDER;
}

/** Builds into a new folder and renames it, so that no process loads half a build. */
async function buildEngine(): Promise<void> {
  const { buildForNode } = await import('../scripts/package/code');
  const fresh = `${FOLDER}-${process.pid}`;
  await buildForNode(fresh);
  const assets = join(fresh, 'node_modules/voxlane-assets');
  mkdirSync(assets, { recursive: true });
  writeFileSync(join(assets, 'index.js'), ASSETS);
  writeFileSync(join(assets, 'package.json'), JSON.stringify({ name: 'voxlane-assets', type: 'module', exports: './index.js' }));
  writeFileSync(join(fresh, 'package.json'), JSON.stringify({ type: 'module' }));
  rmSync(FOLDER, { recursive: true, force: true });
  renameSync(fresh, FOLDER);
}

function isStale(): boolean {
  const built = join(FOLDER, 'package.json');
  if (!existsSync(built)) return true;
  const builtAt = statSync(built).mtimeMs;
  return SOURCES.some((source) => newest(join(ROOT, source)) > builtAt);
}

/** Latest modification time below `path`, in milliseconds since the epoch. Tests are not part of the build. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? 0 : stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
