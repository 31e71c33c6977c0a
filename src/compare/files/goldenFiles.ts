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

/** An input or output of a known model. */
interface KnownTensor {
  readonly name: string;
  readonly axes: readonly string[];
}

/** A model with known stage names, which identify goldens without a manifest. */
export interface KnownModel {
  readonly id: string;
  readonly inputs: readonly KnownTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly KnownTensor[];
}

/**
 * Tolerance without a manifest. There is no absolute bound, because the scale of the values is unknown. The relative bound
 * follows from their type.
 */
export const DEFAULT_TOLERANCE: Tolerance = { maxAbs: Infinity, cosine: DEFAULT_COSINE };

/** `inputs/waveform`, `stages.lstm`: the prefix is the tensor's role. */
const ROLE = /^(inputs|stages)[/.](.+)$/s;

interface Placed {
  readonly name: string;
  readonly isInput: boolean;
  readonly tensor: Tensor;
}

/**
 * Creates a bundle from named tensors.
 *
 * - Inputs are names in `graphInputs`, names of the form `inputs/NAME` or `inputs.NAME`, and input names of a known model.
 *   All others are stages, including `stages/NAME` and `stages.NAME`.
 * - The model is the known model with the most matching names, if these are more than half and include a stage. Otherwise
 *   there is none.
 * - Axis names are those of the known model if their number fits, else `axis0`, `axis1` …
 *
 * The notes list all assumptions.
 *
 * @throws VoxlaneError `format` if there is no stage, or a duplicate name
 */
function assumeBundle(
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
      ? `No manifest: treated as goldens of ${model.id}, which has ${numCovered} of ${names.length} names`
      : 'No manifest, and the names match no known model: axes have no names and are not aligned',
    `Tolerance assumed: cosine ${DEFAULT_TOLERANCE.cosine}, and a relative error by the type of the values`,
    ...(stages.length === 0 ? ['There is no stage: only inputs, and nothing to compare with'] : []),
    inputs.length > 0
      ? `Taken as inputs: ${inputs.map(({ name }) => name).join(', ')}`
      : 'No name is an input: name inputs as in the graph, or inputs/NAME',
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

/** The known model with the most matching names, if these are more than half. */
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

/** In model order; unknown stages follow in their original order. */
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

/** A file and its path from the selected folder, with forward slashes. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A tensor before its conversion. */
interface FoundTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Null for text, which is left out. */
  readonly read: (() => Omit<Tensor, 'shape'> & { readonly notes: readonly string[] }) | null;
}

/**
 * Reads golden outputs in any form: a bundle as a zip or as a folder with `manifest.json`; without a manifest, `.npz`,
 * `.npy` and `.safetensors` files, whose tensors are identified by name as described for {@link assumeBundle}. A `.npy`
 * file is named after its path, without the folders shared by all files. Other files are ignored.
 *
 * Memory is bounded as in {@link readBundle}.
 *
 * @param known models that goldens without a manifest may belong to
 * @param graphInputs input names of the graph to compare, if there is one
 * @throws VoxlaneError `format` that names the file that is missing, damaged, too large or of another kind
 */
export function readGoldens(
  files: readonly NamedFile[],
  known: readonly KnownModel[],
  graphInputs: readonly string[] = [],
): GoldenBundle {
  return readBundleAmong(files) ?? readTensors(findTensors(files), known, graphInputs);
}

/** The only bundle among the files; null if none has a manifest. */
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
      throw broken(`The bundle has ${total} bytes or more, at ${name}`, `at most ${maxBytes} bytes`);
    }
  }
  return found;
}

/** All tensors of files without a manifest. */
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
        // A zipped folder. In an .npz file, by contrast, the names are keys chosen by its author.
        found.push(...withoutSharedFolders(unpackNpz(bytes, name, MAX_UNPACKED_BYTES)).map(npyTensor));
        break;
      case 'safetensors':
        // Not `push(...)`: a call accepts about 100,000 arguments, and a header can list more tensors.
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
  // One-byte values grow to four bytes: a second limit, before the first conversion.
  const totalBytes = found.reduce((sum, { shape }) => sum + Float32Array.BYTES_PER_ELEMENT * sizeOf(shape), 0);
  if (totalBytes > MAX_UNPACKED_BYTES) {
    throw broken(`The goldens' values are ${totalBytes} bytes`, `at most ${MAX_UNPACKED_BYTES} bytes`);
  }
  const notes: string[] = [];
  const tensors = new Map<string, Tensor>();
  for (const { name, shape, read } of found) {
    if (tensors.has(name)) throw broken(`The goldens have ${name} twice`, 'a name for each tensor');
    if (!read) {
      if (!isStage(name, graphInputs)) throw broken(`${name} holds text`, 'numbers: graphs with text inputs cannot be compared');
      notes.push(`${name} is left out: it holds text instead of numbers`);
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

/** True if a tensor cannot be an input of the graph. If the inputs are unknown, its name must show the role. */
const isStage = (name: string, graphInputs: readonly string[]): boolean =>
  /^stages[/.]/.test(name) || (graphInputs.length > 0 && !graphInputs.includes(name) && !/^inputs[/.]/.test(name));

const EXPECTED = 'a bundle (.zip, or a folder with manifest.json), .npz, .npy or .safetensors files';

type Form = 'zip' | 'npz' | 'npy' | 'safetensors';

/** Detected by the file name; a zip also by its first bytes, because browsers rename saved files. */
function formOf({ name, bytes }: NamedFile): Form | null {
  if (isClutter(name)) return null;
  const extension = /\.(zip|npz|npy|safetensors)$/i.exec(name)?.[1]?.toLowerCase();
  return (extension as Form | undefined) ?? (isZip(bytes) ? 'zip' : null);
}

const entryNames = ({ name, bytes }: NamedFile): string[] => listZip(bytes, name).map((entry) => entry.name);

/** A path without `.npy`. */
const stem = (path: string): string => path.replace(/\.npy$/i, '');

/** Removes the folders that all files share, except a folder whose name is a role. */
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
