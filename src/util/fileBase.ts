import { VoxlaneError } from './errors';

/**
 * Where files of one kind are fetched from: all under one address, with a slash at its end, or each at an address of its
 * own, by its path: bundlers give files new names.
 */
export type FileBase = string | Readonly<Record<string, string>>;

/**
 * Address of one file.
 *
 * @param path relative, as `segmentation-3.0/model.onnx`
 * @throws VoxlaneError `model-missing` where the base has addresses of its own, and none for this file
 */
export function addressIn(base: FileBase, path: string): string {
  if (typeof base === 'string') return new URL(path, base).href;
  const address = Object.hasOwn(base, path) ? base[path] : undefined;
  if (address !== undefined) return address;
  throw new VoxlaneError({
    code: 'model-missing',
    problem: `No address is known for ${path}`,
    expected: `one of ${Object.keys(base).join(', ')}`,
    remedy: 'Take the two packages voxlane and voxlane-assets of one version, or set the option that names a folder',
  });
}

