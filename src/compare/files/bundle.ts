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

/** The expected output of one stage for the bundle's inputs. */
export interface GoldenStage extends GoldenTensor {
  /** Tolerance of this stage; unspecified fields come from the bundle. */
  readonly tolerance: Tolerance;
  /** Name of the graph value that the stage corresponds to; null if the bundle does not specify one. */
  readonly value: string | null;
  /** What the stage decides, if the bundle specifies it. */
  readonly decisions?: DecisionRule;
}

/** A recorded step of a model with a state. */
export interface GoldenStep {
  /** Number of the step in the recording, from 0. */
  readonly index: number;
  /** First encoder frame of the chunk of the step. */
  readonly firstFrame: number;
  /** Inputs of the graph in this step, the golden state included. */
  readonly inputs: readonly GoldenTensor[];
  /** Outputs of the stages in this step, in the order of computation. */
  readonly stages: readonly GoldenStage[];
}

/** Steps of a model with a state, which a loop over chunks runs. */
export interface GoldenStreaming {
  /** Mode of the loop. */
  readonly mode: string;
  /** Sizes of the loop, not yet validated: the section `streaming` of a model's manifest. */
  readonly settings: unknown;
  /** Tolerance of the mel frames. */
  readonly featuresTolerance: Tolerance;
  /** In the order of the recording. */
  readonly steps: readonly GoldenStep[];
}

/** Inputs of a model and the outputs of the original implementation, stage by stage. */
export interface GoldenBundle {
  /** Model ID, as in `models/<id>/`; empty if the goldens specify no model and match no known one. */
  readonly model: string;
  /** Origin of the values, as stated by the writer of the bundle. */
  readonly source: Readonly<Record<string, unknown>>;
  /** Inputs of the model. */
  readonly inputs: readonly GoldenTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly GoldenStage[];
  /** Absent for a model without a state. With it, `inputs` has the recording, and `stages` is empty. */
  readonly streaming?: GoldenStreaming;
  /** Assumptions and losses while reading: clauses without a period, for the user. */
  readonly notes: readonly string[];
  /** An ONNX file that should produce these values; null if the bundle has none. */
  readonly graph: Uint8Array | null;
  /**
   * Reads the files in the bundle that hold weights of the graph, by path from its folder; missing files are left out.
   * Absent without a graph. Throws VoxlaneError `format` if they are too large.
   */
  readonly graphData?: (locations: readonly string[]) => ReadonlyMap<string, Uint8Array>;
}

/** The bundle of one step alone, whose inputs include the golden state. */
export function bundleOfStep({ model, source, notes, graph, graphData }: GoldenBundle, { inputs, stages }: GoldenStep): GoldenBundle {
  return { model, source, inputs, stages, notes, graph, ...(graphData && { graphData }) };
}

/** Opens the existing files among `names`, paths from the manifest's folder. Together they must not exceed `maxBytes`. */
type OpenFiles = (names: readonly string[], maxBytes: number) => ReadonlyMap<string, Uint8Array>;

/**
 * Limit for a bundle's files, and for their values as float32: more than any model's stages need, and small enough for a
 * phone.
 */
export const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
const MAX_MANIFEST_BYTES = 1 << 20;
const MAX_GRAPH_BYTES = 256 * 1024 * 1024;

/**
 * Reads a golden bundle: a zip with `manifest.json` and a `.npy` file for each input and stage, at the top or in a folder.
 *
 * Memory is bounded whatever the zip declares: only files named in the manifest are unpacked, into buffers of the declared
 * sizes, at most 256 MiB together, and as much again for a graph.
 *
 * @throws VoxlaneError `format` that names the part that is missing, damaged, too large or of another kind
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
 * Finds the manifest among these paths. Returns its folder with a trailing slash, or an empty string for the top; null if
 * there is none. A manifest at the top takes precedence over those in folders.
 *
 * @throws VoxlaneError `format` if several manifests make the choice ambiguous
 */
export function manifestFolder(paths: readonly string[]): string | null {
  if (paths.includes(MANIFEST)) return '';
  const found = paths.filter((path) => path.endsWith(`/${MANIFEST}`) && !isClutter(path));
  if (found.length > 1) throw broken(`There are several bundles: ${found.slice(0, 5).join(', ')}`, 'one bundle');
  return found[0]?.slice(0, -MANIFEST.length) ?? null;
}

/**
 * Reads the bundle of a manifest from any source of files.
 *
 * @throws VoxlaneError `format` like {@link readBundle}
 */
export function readManifestBundle(open: OpenFiles): GoldenBundle {
  const manifestBytes = open([MANIFEST], MAX_MANIFEST_BYTES).get(MANIFEST);
  if (!manifestBytes) throw broken(`The bundle has no ${MANIFEST}`, `${MANIFEST} beside the tensors`);
  const { model, source, inputs, stages, streaming, tolerance, graph } = parseGoldenManifest(manifestBytes);
  const steps = streaming?.steps ?? [];
  const ofSteps = steps.flatMap((step) => [...step.inputs, ...step.stages]);
  const files = open([...inputs, ...stages, ...ofSteps].map(({ file }) => file), MAX_UNPACKED_BYTES);
  const texts = new Set(stages.filter(({ file }) => isTextNpy(fileNamed(file, files), file)));
  const numeric = stages.filter((entry) => !texts.has(entry));
  checkValueCount([...inputs, ...numeric, ...ofSteps], files);
  const notes = Array.from(texts, ({ name }) => `${name} is left out: it holds text instead of numbers`);
  const readInput = (entry: TensorEntry): GoldenTensor => readTensor(entry, files, notes);
  const readStage = (entry: GoldenManifest['stages'][number]): GoldenStage => ({
    ...readTensor(entry, files, notes),
    tolerance: toTolerance({ ...tolerance, ...entry.tolerance }),
    value: entry.value ?? null,
    ...(entry.decisions && { decisions: entry.decisions }),
  });
  return {
    model,
    source,
    inputs: inputs.map(readInput),
    stages: numeric.map(readStage),
    ...(streaming && {
      streaming: {
        mode: streaming.mode,
        settings: streaming.settings,
        featuresTolerance: toTolerance({ ...tolerance, ...streaming.features }),
        steps: steps.map((step) => ({ ...step, inputs: step.inputs.map(readInput), stages: step.stages.map(readStage) })),
      },
    }),
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
 * The input or stage named `name`.
 *
 * @throws VoxlaneError `format` if there is none
 */
export function tensorNamed<T extends GoldenTensor>(tensors: readonly T[], name: string): T {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found) return found;
  const names = tensors.map((tensor) => tensor.name).join(', ');
  throw broken(`The bundle has no tensor named ${name}, only ${names || 'none at all'}`, 'a bundle of this model');
}

/** Describes how many values of a golden tensor are NaN or infinite; null if none. */
export function notFiniteNote(tensor: Tensor): string | null {
  const data = numbersOf(valuesOf(tensor));
  let count = 0;
  for (const value of data) if (!Number.isFinite(value)) count++;
  return count === 0 ? null : `${count} of ${data.length} values are NaN or infinite`;
}

type TensorEntry = GoldenManifest['inputs'][number];

/** One-byte values grow to four bytes: a second limit, before the first conversion. */
function checkValueCount(entries: readonly TensorEntry[], files: ReadonlyMap<string, Uint8Array>): void {
  let total = 0;
  for (const { file } of entries) {
    total += Float32Array.BYTES_PER_ELEMENT * sizeOf(readNpyHeader(fileNamed(file, files), file).shape);
    if (total > MAX_UNPACKED_BYTES) {
      throw broken(`The bundle's values are ${total} bytes or more, at ${file}`, `at most ${MAX_UNPACKED_BYTES} bytes`);
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
 * Fetches the golden bundle of a bundled model.
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
