/**
 * Takes the place of `defaultFiles.ts` in the npm package, where the large files are in a package of their own,
 * voxlane-assets, that knows their addresses.
 */
import { messageOf, VoxlaneError } from '../util/errors';
import type { FileBases } from './defaultFiles';

/** Address of a script of this package, on a server or CDN that serves packages by name and, perhaps, version. */
const PACKAGE_FOLDER = /\/voxlane(@[^/]+)?\/dist\/[^/]*$/;

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
        problem: `The package voxlane-assets cannot be loaded: ${messageOf(cause)}`,
        expected: 'voxlane-assets beside voxlane, in the same version',
        remedy: 'Install it, add it to the import map, or set the options models, runtime and goldens',
      },
      { cause },
    );
  });
  return found;
}

async function findFiles(): Promise<FileBases> {
  // Undefined where a bundler wrote a classic script.
  const own = (import.meta.url as string | undefined) ?? document.baseURI;
  try {
    return ((await import('voxlane-assets')) as { readonly files: FileBases }).files;
  } catch (error) {
    // A name that nothing maps is refused so, by every browser; a package that could not be fetched, otherwise.
    if (!(error instanceof TypeError) || !/specifier/i.test(error.message)) throw error;
  }
  if (PACKAGE_FOLDER.test(new URL(own).pathname)) {
    const sibling = own.replace(PACKAGE_FOLDER, '/voxlane-assets$1/index.js');
    return ((await import(/* @vite-ignore */ /* webpackIgnore: true */ sibling)) as { readonly files: FileBases }).files;
  }
  const folder = new URL('voxlane/', own).href;
  return { models: `${folder}models/`, runtime: `${folder}ort/`, goldens: `${folder}goldens/` };
}
