/**
 * Takes the place of `defaultFiles.ts` in the npm package, where the large files are in a package of their own,
 * voxlane-assets, that knows their addresses.
 */
import { addressOf } from '../../workers/openPackagedWorker';
import { VoxlaneError } from '../util/errors';
import type { FileBases } from './defaultFiles';

/** Address of a worker of this package, on a server or CDN that serves packages by name and, perhaps, version. */
const PACKAGED_WORKER = /\/voxlane(@[^/]+)?\/dist\/voxlane\/workers\/[^/]*$/;

let found: Promise<FileBases> | undefined;

/**
 * Finds them without being told where: by the bundler or the import map that knows voxlane-assets; without either, in the
 * sibling folder of this package, as servers of `node_modules` and CDNs have it; else in the folder `voxlane/` beside this
 * script, where `npx voxlane copy` puts them. Which of these it is, is known without asking the network.
 *
 * @throws VoxlaneError `model-missing` where there is a package that cannot be loaded
 */
export function defaultFiles(): Promise<FileBases> {
  found ??= findFiles().catch((cause: unknown) => {
    found = undefined;
    throw new VoxlaneError(
      {
        code: 'model-missing',
        problem: 'The package voxlane-assets cannot be loaded',
        expected: 'voxlane-assets beside voxlane, in the same version',
        remedy: 'Install it, add it to the import map, or set the options models, runtime and goldens',
      },
      { cause },
    );
  });
  return found;
}

async function findFiles(): Promise<FileBases> {
  try {
    return ((await import('voxlane-assets')) as { readonly files: FileBases }).files;
  } catch (error) {
    if (!isUnmappedName(error)) throw error;
  }
  // Not the address of this script: webpack would write where it lay on the disk of those who built the page.
  const worker = addressOf('decode').href;
  if (PACKAGED_WORKER.test(new URL(worker).pathname)) {
    const sibling = worker.replace(PACKAGED_WORKER, '/voxlane-assets$1/index.js');
    return ((await import(/* @vite-ignore */ /* webpackIgnore: true */ sibling)) as { readonly files: FileBases }).files;
  }
  const folder = new URL('../', worker).href;
  return { models: `${folder}models/`, runtime: `${folder}ort/`, goldens: `${folder}goldens/` };
}

/**
 * Whether `import()` of a bare name was refused because neither a bundler nor an import map knows it. A script that could
 * not be fetched, or is faulty, is another error.
 *
 * By the words, because every browser throws a `TypeError` for both: Chrome's "Failed to resolve module specifier 'x'",
 * Firefox's "The specifier “x” was a bare specifier, but was not remapped to anything", Safari's "Module name, 'x' does
 * not resolve to a valid URL".
 */
export function isUnmappedName(error: unknown): boolean {
  return error instanceof TypeError && /specifier|does not resolve to a valid URL/i.test(error.message);
}
