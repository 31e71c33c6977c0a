/** Replaces `defaultFiles.ts` in the Node build: the large files are in the separate package voxlane-assets. */
import { VoxlaneError } from '../util/errors';
import type { FileBases } from './defaultFiles';

/** @throws VoxlaneError `model-missing` if the package cannot be loaded */
export async function defaultFiles(): Promise<FileBases> {
  try {
    return ((await import('voxlane-assets')) as { readonly files: FileBases }).files;
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'model-missing',
        problem: 'The package voxlane-assets could not be loaded',
        expected: 'voxlane-assets next to voxlane, with the same version',
        remedy: 'Install it, or set the options models, runtime and goldens',
      },
      { cause },
    );
  }
}
