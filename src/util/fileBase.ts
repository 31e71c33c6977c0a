import { VoxlaneError } from './errors.ts';

/**
 * Base for files of one kind: either one address with a slash at its end, or a map from each path to its own address,
 * because bundlers rename files.
 */
export type FileBase = string | Readonly<Record<string, string>>;

/**
 * Returns the address of one file.
 *
 * @param path relative, such as `segmentation-3.0/model.onnx`
 * @throws VoxlaneError `model-missing` if `base` is a map without this file
 */
export function addressIn(base: FileBase, path: string): string {
  if (typeof base === 'string') return new URL(path, base).href;
  const address = Object.hasOwn(base, path) ? base[path] : undefined;
  if (address !== undefined) return address;
  throw new VoxlaneError({
    code: 'model-missing',
    problem: `No address is known for ${path}`,
    expected: `one of ${Object.keys(base).join(', ')}`,
    remedy: 'Install voxlane and voxlane-assets in the same version, or set the option that names a folder',
  });
}

