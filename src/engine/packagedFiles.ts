/**
 * Replaces `defaultFiles.ts` in the npm package, where the large files are in the separate package voxlane-assets.
 */
import { addressOf } from '../../workers/openPackagedWorker';
import { VoxlaneError } from '../util/errors';
import type { FileBases } from './defaultFiles';

/** URL of a worker of this package on a server or CDN that serves packages by name and optional version. */
const PACKAGED_WORKER = /\/voxlane(@[^/]+)?\/dist\/voxlane\/workers\/[^/]*$/;

let found: Promise<FileBases> | undefined;

/**
 * Finds the files without options: through the bundler or the import map that resolves voxlane-assets; without either,
 * in the sibling folder of this package, as on servers of `node_modules` and CDNs; otherwise in the folder `voxlane/`
 * beside this script, where `npx voxlane copy` puts them. The choice requires no network request.
 *
 * @throws VoxlaneError `model-missing` if the package exists but cannot be loaded
 */
export function defaultFiles(): Promise<FileBases> {
  found ??= findFiles().catch((cause: unknown) => {
    found = undefined;
    throw new VoxlaneError(
      {
        code: 'model-missing',
        problem: 'The package voxlane-assets could not be loaded',
        expected: 'voxlane-assets next to voxlane, with the same version',
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
  // Not the URL of this script: webpack would insert its path on the build machine.
  const worker = addressOf('decode').href;
  if (PACKAGED_WORKER.test(new URL(worker).pathname)) {
    const sibling = worker.replace(PACKAGED_WORKER, '/voxlane-assets$1/index.js');
    return ((await import(/* @vite-ignore */ /* webpackIgnore: true */ sibling)) as { readonly files: FileBases }).files;
  }
  const folder = new URL('../', worker).href;
  return { models: `${folder}models/`, runtime: `${folder}ort/`, goldens: `${folder}goldens/` };
}

/**
 * Whether `import()` of a bare name failed because neither a bundler nor an import map resolves it. A script that
 * cannot be fetched or is faulty is a different error.
 *
 * This checks the message, because all browsers throw a `TypeError` in both cases: Chrome's "Failed to resolve module
 * specifier 'x'", Firefox's "The specifier “x” was a bare specifier, but was not remapped to anything", Safari's
 * "Module name, 'x' does not resolve to a valid URL".
 */
export function isUnmappedName(error: unknown): boolean {
  return error instanceof TypeError && /specifier|does not resolve to a valid URL/i.test(error.message);
}
