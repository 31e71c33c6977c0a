import type { Tolerance } from '../compare';
import { type NamedTensor, sizeOf, type Tensor, typeOf } from '../tensor';
import {
  type GoldenBundle,
  type GoldenTensor,
  manifestFolder,
  MAX_UNPACKED_BYTES,
  notFiniteNote,
  readBundle,
  readManifestBundle,
} from './bundle';
import { type CheckpointTensor, exactValues, toFloat32 } from './elements';
import { DEFAULT_COSINE, firstTwice } from './manifest';
import { isTextNpy, parseNpy, readNpyHeader, unpackNpz } from './npy';
import { readSafetensors } from './safetensors';
import { broken, isClutter, isZip, listZip } from './zip';

/** A tensor that a known model takes or gives. */
export interface KnownTensor {
  readonly name: string;
  readonly axes: readonly string[];
}

/** A model whose stages are known by name: goldens without a manifest are recognized by them. */
export interface KnownModel {
  readonly id: string;
  readonly inputs: readonly KnownTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly KnownTensor[];
}

/** Without a manifest: no absolute bound, because the scale of the values is not known. The relative one follows from their type. */
export const DEFAULT_TOLERANCE: Tolerance = { maxAbs: Infinity, cosine: DEFAULT_COSINE };

/** `inputs/waveform`, `stages.lstm`: the part before says what the tensor is. */
const ROLE = /^(inputs|stages)[/.](.+)$/s;

interface Placed {
  readonly name: string;
  readonly isInput: boolean;
  readonly tensor: Tensor;
}

/**
 * Makes a bundle of tensors that only have names.
 *
 * - A name in `graphInputs`, a name of the form `inputs/NAME` or `inputs.NAME`, and the name of a known model's input
 *   are inputs; all others are stages, also `stages/NAME` and `stages.NAME`.
 * - The model is the known one that has most of the names, if it has more than half of them and a stage; else none.
 * - Axes are the known model's where their number fits, else `axis0`, `axis1` …
 *
 * What was assumed is in the notes.
 *
 * @throws VoxlaneError `format` where there is no stage, or a name twice
 */
export function assumeBundle(
  tensors: ReadonlyMap<string, Tensor>,
  known: readonly KnownModel[],
  graphInputs: readonly string[],
): GoldenBundle {
  const names = Array.from(tensors.keys(), (key) => (graphInputs.includes(key) ? key : nameIn(key)));
  const { model, numCovered } = recognize(names, known);
  const placed = Array.from(tensors, ([key, tensor]) => place(key, tensor, model, graphInputs));
  const inputs = placed.filter(({ isInput }) => isInput);
  const stages = inOrder(placed.filter(({ isInput }) => !isInput), model);
  for (const role of [inputs, stages]) {
    const twice = firstTwice(role.map(({ name }) => name));
    if (twice !== undefined) throw broken(`The goldens have ${twice} twice`, 'a name for each tensor');
  }
  const notes = [
    model
      ? `No manifest: taken as goldens of ${model.id}, which knows ${numCovered} of ${names.length} names`
      : 'No manifest, and the names are of no known model: axes have no names, so none are aligned',
    `Tolerance assumed: cosine ${DEFAULT_TOLERANCE.cosine}, and a relative error by the type of the values`,
    ...(stages.length === 0 ? ['No stage is among them: there are inputs, and nothing to compare with'] : []),
    inputs.length > 0
      ? `Taken as inputs: ${inputs.map(({ name }) => name).join(', ')}`
      : 'None of the names is an input: one is called as the graph calls it, or inputs/NAME',
  ];
  return {
    model: model?.id ?? '',
    source: {},
    inputs: inputs.map((tensor) => withAxes(tensor, model?.inputs, notes)),
    stages: stages.map((tensor) => ({
      ...withAxes(tensor, model?.stages, notes),
      tolerance: DEFAULT_TOLERANCE,
      value: null,
    })),
    notes,
    graph: null,
  };
}

const nameIn = (key: string): string => ROLE.exec(key)?.[2] ?? key;

/** The known model that has most of `names`, if it has more than half of them. */
function recognize(
  names: readonly string[],
  known: readonly KnownModel[],
): { model: KnownModel | null; numCovered: number } {
  const among = (tensors: readonly KnownTensor[]): string[] =>
    names.filter((name) => tensors.some((tensor) => tensor.name === name));
  let best: { model: KnownModel | null; numCovered: number } = { model: null, numCovered: names.length / 2 };
  for (const model of known) {
    const numCovered = among([...model.inputs, ...model.stages]).length;
    if (numCovered > best.numCovered && among(model.stages).length > 0) best = { model, numCovered };
  }
  return best;
}

function place(key: string, tensor: Tensor, model: KnownModel | null, graphInputs: readonly string[]): Placed {
  if (graphInputs.includes(key)) return { name: key, isInput: true, tensor };
  const name = nameIn(key);
  const role = ROLE.exec(key)?.[1];
  const isNamedSo = graphInputs.includes(name) || (model?.inputs ?? []).some((input) => input.name === name);
  return { name, isInput: role === undefined ? isNamedSo : role === 'inputs', tensor };
}

/** In the model's order; those that it does not know after them, as they came. */
function inOrder(stages: readonly Placed[], model: KnownModel | null): Placed[] {
  const order = model?.stages.map(({ name }) => name) ?? [];
  const rank = ({ name }: Placed): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return stages.toSorted((a, b) => rank(a) - rank(b));
}

function withAxes(
  { name, tensor }: Placed,
  known: readonly KnownTensor[] | undefined,
  notes: string[],
): GoldenTensor {
  const { shape, data } = tensor;
  const axes = known?.find((candidate) => candidate.name === name)?.axes;
  if (axes?.length === shape.length) return { name, axes, shape, data, ...typeOf(tensor) } satisfies NamedTensor;
  if (axes) notes.push(`${name} has ${shape.length} axes instead of ${axes.join(', ')}: they have no names`);
  return { name, axes: shape.map((_, axis) => `axis${axis}`), shape, data, ...typeOf(tensor) };
}

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
