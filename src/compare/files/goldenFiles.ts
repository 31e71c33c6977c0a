import {
  manifestFolder,
  MAX_UNPACKED_BYTES,
  notFiniteNote,
  readBundle,
  readManifestBundle,
  type GoldenBundle,
} from '../bundle';
import { isTextNpy, parseNpy, readNpyHeader } from '../npy';
import { sizeOf, typeOf, type Tensor } from '../tensor';
import { assumeBundle, type KnownModel } from './assume';
import { broken } from './broken';
import type { CheckpointTensor } from './checkpoint';
import { exactValues, toFloat32 } from './elements';
import { unpackNpz } from './npz';
import { readSafetensors } from './safetensors';
import { isClutter, isZip, listZip } from './zip';

/** A file and its path from the folder that was given, with forward slashes. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A tensor that is there, and not converted yet. */
interface FoundTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Null for text, which is left out. */
  readonly read: (() => Omit<Tensor, 'shape'> & { readonly notes: readonly string[] }) | null;
}

/**
 * Reads golden outputs in any of their forms: a bundle as a zip or as a folder with `manifest.json`; without one,
 * `.npz`, `.npy` and `.safetensors` files, whose tensors are told apart by name as {@link assumeBundle} says. A `.npy`
 * file is named after its path, without the folders that all of them share. Other files are left alone.
 *
 * Memory is bounded like {@link readBundle}'s.
 *
 * @param known models that goldens without a manifest can be recognized as
 * @param graphInputs names of the inputs of the graph that will be compared, where there is one
 * @throws VoxlaneError `format` that says which file is missing, damaged, too large or of another kind
 */
export function readGoldens(
  files: readonly NamedFile[],
  known: readonly KnownModel[],
  graphInputs: readonly string[] = [],
): GoldenBundle {
  return readBundleAmong(files) ?? readTensors(findTensors(files), known, graphInputs);
}

/** The one bundle among the files; null where none has a manifest. */
function readBundleAmong(files: readonly NamedFile[]): GoldenBundle | null {
  const zips = files.filter((file) => formOf(file) === 'zip' && manifestFolder(entryNames(file)) !== null);
  const folder = manifestFolder(files.map(({ name }) => name));
  if (zips.length + (folder === null ? 0 : 1) > 1) {
    const names = [...zips.map(({ name }) => name), ...(folder === null ? [] : [`${folder}manifest.json`])];
    throw broken(`There are several bundles: ${names.slice(0, 5).join(', ')}`, 'one bundle');
  }
  const [zip] = zips;
  if (zip) return readBundle(zip.bytes);
  if (folder === null) return null;
  return readManifestBundle((names, maxBytes) => filesNamed(files, folder, names, maxBytes));
}

function filesNamed(
  files: readonly NamedFile[],
  folder: string,
  names: readonly string[],
  maxBytes: number,
): Map<string, Uint8Array> {
  const byPath = new Map(files.map(({ name, bytes }) => [name, bytes]));
  const found = new Map<string, Uint8Array>();
  let total = 0;
  for (const name of names) {
    const bytes = byPath.get(folder + name);
    if (!bytes) continue;
    found.set(name, bytes);
    total += bytes.length;
    if (total > maxBytes) {
      throw broken(`The bundle has ${total} bytes or more, at ${name}`, `${maxBytes} bytes at most`);
    }
  }
  return found;
}

/** Every tensor of files that have no manifest. */
function findTensors(files: readonly NamedFile[]): FoundTensor[] {
  const loose = files.filter((file) => formOf(file) === 'npy').map(({ name, bytes }) => ({ name: stem(name), bytes }));
  const found = withoutSharedFolders(loose).map(npyTensor);
  for (const file of files) {
    const { name, bytes } = file;
    switch (formOf(file)) {
      case 'npz':
        found.push(...unpackNpz(bytes, name, MAX_UNPACKED_BYTES).map(npyTensor));
        break;
      case 'zip':
        // A folder that was zipped, where an .npz file's names are keys that somebody chose.
        found.push(...withoutSharedFolders(unpackNpz(bytes, name, MAX_UNPACKED_BYTES)).map(npyTensor));
        break;
      case 'safetensors':
        // Not `push(...)`: a call takes about 100,000 arguments, and a header can list more tensors.
        for (const tensor of readSafetensors(bytes, name)) found.push(safeTensor(tensor));
        break;
      default:
    }
  }
  if (found.length === 0) {
    const names = files.slice(0, 5).map(({ name }) => name).join(', ');
    throw broken(`There are no golden outputs in ${names || 'no file at all'}`, EXPECTED);
  }
  return found;
}

function readTensors(
  found: readonly FoundTensor[],
  known: readonly KnownModel[],
  graphInputs: readonly string[],
): GoldenBundle {
  // Values of one byte become four: bounded once more, before the first is converted.
  const totalBytes = found.reduce((sum, { shape }) => sum + Float32Array.BYTES_PER_ELEMENT * sizeOf(shape), 0);
  if (totalBytes > MAX_UNPACKED_BYTES) {
    throw broken(`The goldens' values are ${totalBytes} bytes`, `${MAX_UNPACKED_BYTES} bytes at most`);
  }
  const notes: string[] = [];
  const tensors = new Map<string, Tensor>();
  for (const { name, shape, read } of found) {
    if (tensors.has(name)) throw broken(`The goldens have ${name} twice`, 'a name for each tensor');
    if (!read) {
      if (!isStage(name, graphInputs)) throw broken(`${name} holds text`, 'numbers, as every input of a graph that can be compared');
      notes.push(`${name} is left out: it holds text, no numbers`);
      continue;
    }
    const { notes: lost, ...values } = read();
    const { data } = values;
    const notFinite = notFiniteNote({ shape, ...values });
    notes.push(...[...lost, ...(notFinite === null ? [] : [notFinite])].map((note) => `${name}: ${note}`));
    tensors.set(name, { shape, data, ...typeOf({ shape, ...values }) });
  }
  const bundle = assumeBundle(tensors, known, graphInputs);
  return { ...bundle, notes: [...bundle.notes, ...notes] };
}

/** Whether a tensor cannot be an input of the graph. If the inputs are not known, its name must say so. */
const isStage = (name: string, graphInputs: readonly string[]): boolean =>
  /^stages[/.]/.test(name) || (graphInputs.length > 0 && !graphInputs.includes(name) && !/^inputs[/.]/.test(name));

const EXPECTED = 'a bundle (.zip, or a folder with manifest.json), .npz, .npy or .safetensors files';

type Form = 'zip' | 'npz' | 'npy' | 'safetensors';

/** By the file's name; a zip also by how it begins, because browsers rename what they save. */
function formOf({ name, bytes }: NamedFile): Form | null {
  if (isClutter(name)) return null;
  const extension = /\.(zip|npz|npy|safetensors)$/i.exec(name)?.[1]?.toLowerCase();
  return (extension as Form | undefined) ?? (isZip(bytes) ? 'zip' : null);
}

const entryNames = ({ name, bytes }: NamedFile): string[] => listZip(bytes, name).map((entry) => entry.name);

/** A path without its `.npy`. */
const stem = (path: string): string => path.replace(/\.npy$/i, '');

/** The same files without the folders that all of them are in. One that says what it holds is no such folder. */
function withoutSharedFolders(files: readonly NamedFile[]): NamedFile[] {
  const folders = files.map(({ name }) => name.split('/').slice(0, -1));
  const shared = folders[0]?.findIndex(
    (folder, depth) =>
      folder === 'inputs' || folder === 'stages' || folders.some((others) => others[depth] !== folder),
  );
  const depth = shared === -1 ? folders[0]!.length : (shared ?? 0);
  return files.map(({ name, bytes }) => ({ name: name.split('/').slice(depth).join('/'), bytes }));
}

function npyTensor({ name, bytes }: NamedFile): FoundTensor {
  if (isTextNpy(bytes, `${name}.npy`)) return { name, shape: [0], read: null };
  const { shape } = readNpyHeader(bytes, `${name}.npy`);
  return { name, shape, read: () => parseNpy(bytes, `${name}.npy`) };
}

function safeTensor({ name, type, shape, bytes, problem, isReadable }: CheckpointTensor): FoundTensor {
  if (!isReadable || type === null) throw broken(`${name} ${problem ?? 'cannot be read'}`, EXPECTED);
  return {
    name,
    shape,
    read: () => {
      const { data, notes: lost } = toFloat32(bytes, type);
      const exact = exactValues(bytes, type, data);
      const notes = exact ? [] : lost;
      return { data, ...(exact && { exact }), ...(type !== 'float32' && { storedAs: type }), notes: problem === null ? notes : [problem, ...notes] };
    },
  };
}
