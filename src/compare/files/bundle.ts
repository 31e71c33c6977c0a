import { VoxlaneError } from '../../util/errors';
import { fetchFile } from '../../util/fetch';
import { addressIn, type FileBase } from '../../util/fileBase';
import { numbersOf } from '../../util/numberTypes';
import type { Tolerance } from '../compare';
import type { DecisionRule } from '../decisions/rule';
import { type NamedTensor, shapeText, sizeOf, type Tensor, typeOf, valuesOf } from '../tensor';
import { type GoldenManifest, MANIFEST, parseGoldenManifest, toTolerance } from './manifest';
import { isTextNpy, parseNpy, readNpyHeader } from './npy';
import { broken, isClutter, listZip, unpackZip } from './zip';

/** A tensor of a bundle, float32, row-major. */
export type GoldenTensor = NamedTensor;

/** What one stage must give for the bundle's inputs. */
export interface GoldenStage extends GoldenTensor {
  /** Of this stage; what it does not say itself is the bundle's. */
  readonly tolerance: Tolerance;
  /** Name of the graph's value that the stage is; null where the bundle does not say. */
  readonly value: string | null;
  /** What the stage decides, if the bundle says so. */
  readonly decisions?: DecisionRule;
}

/** Inputs of a model and what the original implementation gives for them, stage by stage. */
export interface GoldenBundle {
  /** Id of the model, as in `models/<id>/`; empty where the goldens do not say, and are of no known model. */
  readonly model: string;
  /** Where the values come from, as their writer told it. */
  readonly source: Readonly<Record<string, unknown>>;
  /** What the model is given. */
  readonly inputs: readonly GoldenTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly GoldenStage[];
  /** What was assumed or lost in reading; sentences without an end, for people. */
  readonly notes: readonly string[];
  /** An ONNX file that should give these values; null where the bundle brings none. */
  readonly graph: Uint8Array | null;
  /**
   * Reads the files in the bundle that hold weights of the graph, by path from its folder; missing files are left out. Absent
   * without a graph. Throws VoxlaneError `format` if they are too large.
   */
  readonly graphData?: (locations: readonly string[]) => ReadonlyMap<string, Uint8Array>;
}

/** The files of `names`, paths from the manifest's folder, as far as they exist and are `maxBytes` together at most. */
export type OpenFiles = (names: readonly string[], maxBytes: number) => ReadonlyMap<string, Uint8Array>;

/** Of a bundle's files, and of their values as float32: more than any model's stages need, and little for a phone. */
export const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
const MAX_MANIFEST_BYTES = 1 << 20;
const MAX_GRAPH_BYTES = 256 * 1024 * 1024;

/**
 * Reads a golden bundle: a zip with `manifest.json` and a `.npy` file for each input and stage, or of a folder that
 * holds them.
 *
 * Memory is bounded whatever the zip claims: only files that the manifest names are unpacked, into buffers of the
 * sizes that the directory declares, 256 MiB together at most, and as much again for a graph.
 *
 * @throws VoxlaneError `format` that says which part is missing, damaged, too large or of another kind
 */
export function readBundle(bytes: Uint8Array): GoldenBundle {
  const folder = manifestFolder(listZip(bytes, 'The bundle').map(({ name }) => name));
  if (folder === null) throw broken(`The bundle has no ${MANIFEST}`, `${MANIFEST} at the top of the zip`);
  return readManifestBundle((names, maxBytes) => {
    const files = unpackZip(bytes, 'The bundle', new Set(names.map((name) => folder + name)), maxBytes);
    return new Map(Array.from(files, ([name, file]) => [name.slice(folder.length), file]));
  });
}

/**
 * Where the one manifest among these paths is: its folder with a slash at the end, or empty; null where there is none.
 * One at the top is the bundle's, whatever else lies below.
 *
 * @throws VoxlaneError `format` where there are several, so that it is not clear which is meant
 */
export function manifestFolder(paths: readonly string[]): string | null {
  if (paths.includes(MANIFEST)) return '';
  const found = paths.filter((path) => path.endsWith(`/${MANIFEST}`) && !isClutter(path));
  if (found.length > 1) throw broken(`There are several bundles: ${found.slice(0, 5).join(', ')}`, 'one bundle');
  return found[0]?.slice(0, -MANIFEST.length) ?? null;
}

/**
 * Reads the bundle of a manifest, wherever its files are.
 *
 * @throws VoxlaneError `format` like {@link readBundle}
 */
export function readManifestBundle(open: OpenFiles): GoldenBundle {
  const manifestBytes = open([MANIFEST], MAX_MANIFEST_BYTES).get(MANIFEST);
  if (!manifestBytes) throw broken(`The bundle has no ${MANIFEST}`, `${MANIFEST} beside the tensors`);
  const { model, source, inputs, stages, tolerance, graph } = parseGoldenManifest(manifestBytes);
  const files = open([...inputs, ...stages].map(({ file }) => file), MAX_UNPACKED_BYTES);
  const texts = new Set(stages.filter(({ file }) => isTextNpy(fileNamed(file, files), file)));
  const numeric = stages.filter((entry) => !texts.has(entry));
  checkValueCount([...inputs, ...numeric], files);
  const notes = Array.from(texts, ({ name }) => `${name} is left out: it holds text, no numbers`);
  return {
    model,
    source,
    inputs: inputs.map((entry) => readTensor(entry, files, notes)),
    stages: numeric.map((entry) => ({
      ...readTensor(entry, files, notes),
      tolerance: toTolerance({ ...tolerance, ...entry.tolerance }),
      value: entry.value ?? null,
      ...(entry.decisions && { decisions: entry.decisions }),
    })),
    notes,
    ...(graph === undefined ? { graph: null } : openGraph(graph, open)),
  };
}

/** The graph and access to the files that hold its weights, 256 MiB in total. */
function openGraph(path: string, open: OpenFiles): Pick<GoldenBundle, 'graph' | 'graphData'> {
  const graph = fileNamed(path, open([path], MAX_GRAPH_BYTES));
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return {
    graph,
    graphData: (locations) => {
      const files = open(locations.map((location) => folder + location), MAX_GRAPH_BYTES - graph.length);
      return new Map(Array.from(files, ([name, bytes]) => [name.slice(folder.length), bytes]));
    },
  };
}

/**
 * The input or stage called `name`.
 *
 * @throws VoxlaneError `format` where there is none
 */
export function tensorNamed<T extends GoldenTensor>(tensors: readonly T[], name: string): T {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found) return found;
  const names = tensors.map((tensor) => tensor.name).join(', ');
  throw broken(`The bundle has no tensor named ${name}, only ${names || 'none at all'}`, 'a bundle of this model');
}

/** How many values of a golden tensor are NaN or infinite; null if none. */
export function notFiniteNote(tensor: Tensor): string | null {
  const data = numbersOf(valuesOf(tensor));
  let count = 0;
  for (const value of data) if (!Number.isFinite(value)) count++;
  return count === 0 ? null : `${count} of ${data.length} values are NaN or infinite`;
}

type TensorEntry = GoldenManifest['inputs'][number];

/** Values of one byte become four: a second bound, before the first is converted. */
function checkValueCount(entries: readonly TensorEntry[], files: ReadonlyMap<string, Uint8Array>): void {
  let total = 0;
  for (const { file } of entries) {
    total += Float32Array.BYTES_PER_ELEMENT * sizeOf(readNpyHeader(fileNamed(file, files), file).shape);
    if (total > MAX_UNPACKED_BYTES) {
      throw broken(`The bundle's values are ${total} bytes or more, at ${file}`, `${MAX_UNPACKED_BYTES} bytes at most`);
    }
  }
}

function readTensor(
  { name, file, axes }: TensorEntry,
  files: ReadonlyMap<string, Uint8Array>,
  allNotes: string[],
): GoldenTensor {
  const tensor = parseNpy(fileNamed(file, files), file);
  const { shape, data, notes } = tensor;
  if (axes.length !== shape.length) {
    throw broken(
      `${file} has the rank ${shape.length} and the shape ${shapeText(shape)}, but its axes in the manifest are ${axes.join(', ') || 'none'}`,
      `a name for each axis, ${shape.length} in all`,
    );
  }
  const notFinite = notFiniteNote(tensor);
  allNotes.push(...[...notes, ...(notFinite === null ? [] : [notFinite])].map((note) => `${file}: ${note}`));
  return { name, axes, shape, data, ...typeOf(tensor) };
}

function fileNamed(name: string, files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const bytes = files.get(name);
  if (bytes) return bytes;
  throw broken(`The bundle has no ${name}, which its manifest names`, 'every named file beside the manifest');
}

/**
 * The golden bundle that ships with a model.
 *
 * @param base holds `<model id>.zip`
 * @returns the zip
 * @throws VoxlaneError `model-missing`
 */
export function fetchGoldens(id: string, base: FileBase): Promise<Uint8Array> {
  const address = addressIn(base, `${id}.zip`);
  return fetchFile(
    address,
    async (response) => new Uint8Array(await response.arrayBuffer()),
    (why, cause) =>
      new VoxlaneError(
        {
          code: 'model-missing',
          problem: `The golden outputs ${address} could not be fetched: ${why}`,
          expected: 'the folder goldens/ of this release at that address',
          remedy: 'Check the `goldens` option and that the server serves the folder',
        },
        { cause },
      ),
  );
}
