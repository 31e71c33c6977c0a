import { externalFilesOf, graphInfo, type GraphInfo, graphOf, parseOnnx, valueNames } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { resnetLayers, splitAtPooling } from '../onnx/pooled';
import { findAmong } from '../onnx/tensors';
import { dtypeName } from '../onnx/types';
import { loadManifest, loadModel } from '../store/load';
import { isShipped, KNOWN_MODELS, SHIPPED_MODELS, type ShippedModel } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { sha256Hex } from '../util/hash';
import type { Tolerance } from './compare';
import { fetchGoldens, type GoldenBundle, type GoldenStage } from './files/bundle';
import { type KnownModel, type NamedFile, readGoldens } from './files/goldenFiles';
import { readNpz } from './files/npy';
import { hasOnnxTest, readOnnxTest, unpackOnnxTests } from './files/onnxTest';
import { readSafetensors } from './files/safetensors';
import { unknownValues } from './findValue';
import { hasKernels } from './kernelRunner';
import { type AnyManifest, type Plan, unusedInputs } from './plan';

/** What somebody dropped, by what it is for. */
export interface SortedFiles {
  readonly graph: NamedFile | null;
  /** One bundle, in whatever form. */
  readonly goldens: readonly NamedFile[];
  /** Trained weights, for the audit. */
  readonly checkpoint: NamedFile | null;
}

/** `inputs/waveform`, `stages.lstm` */
const ROLE = /^(inputs|stages)[/.]/;
const PICKLES = /\.(pt|pth|bin|ckpt|pkl)$/i;

/**
 * Tells graph, goldens and checkpoint apart, by the ends of their names.
 *
 * A `.npz` or `.safetensors` can be either of the last two: it is a golden one where one of its tensors is called as an
 * input or stage of a model, or `inputs/NAME` or `stages/NAME`, and no bundle lies beside it.
 *
 * @param isGolden whether a model has an input or stage of that name
 * @throws VoxlaneError `options` for two graphs or checkpoints, or a file of no use here; `format` for pickles
 */
export function sortFiles(files: readonly NamedFile[], isGolden: (name: string) => boolean): SortedFiles {
  const ending = (end: RegExp): NamedFile[] => files.filter(({ name }) => end.test(name));
  const [pickle] = ending(PICKLES);
  if (pickle) throw pickled(pickle.name);
  const graphs = ending(/\.onnx$/i);
  const isFolder = ending(/(^|\/)manifest\.json$/i).length > 0;
  const certain = ending(/\.(zip|npy)$/i);
  const either = ending(/\.(npz|safetensors)$/i);
  const goldens = isFolder
    ? // Whatever its manifest names, a graph among it; the rest is left alone.
      files
    : certain.length > 0
      ? certain
      : either.filter((file) => tensorNames(file).some((name) => ROLE.test(name) || isGolden(name)));
  const graph = only('graph', graphs);
  const checkpoint = only('checkpoint', [...either.filter((file) => isFolder || !goldens.includes(file)), ...ending(/\.gguf$/i)]);
  if (!graph && goldens.length === 0 && !checkpoint) throw nothing(files);
  return { graph, goldens, checkpoint };
}

function tensorNames({ name, bytes }: NamedFile): string[] {
  const tensors = /\.npz$/i.test(name) ? readNpz(bytes, name) : readSafetensors(bytes, name);
  return tensors.map((tensor) => tensor.name);
}

function only(role: string, files: readonly NamedFile[]): NamedFile | null {
  if (files.length < 2) return files[0] ?? null;
  throw new VoxlaneError({
    code: 'options',
    problem: `There is more than one ${role}: ${files.map(({ name }) => name).join(', ')}`,
    expected: `one ${role} at a time`,
    remedy: 'Open them one after the other',
  });
}

function pickled(name: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `${name} is a Python pickle, which only Python can read`,
    expected: 'a checkpoint as .safetensors, .npz or .gguf',
    remedy: 'Save it with safetensors.torch.save_file(model.state_dict(), "weights.safetensors")',
  });
}

function nothing(files: readonly NamedFile[]): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `Nothing can be compared in ${files.map(({ name }) => name).join(', ') || 'no file at all'}`,
    expected: 'golden outputs (.zip, .npz, .npy, .safetensors or a folder), an .onnx graph, or a checkpoint',
    remedy: 'Open one of these',
  });
}

/** A graph with what was opened beside it. */
export interface OpenedFiles {
  /** Id of a shipped model, else what the bundle calls it, else the name of the file. */
  readonly name: string;
  readonly model: ModelProto;
  readonly info: GraphInfo;
  readonly bytes: number;
  readonly sha256: string;
  /** Whether the graph is, to the byte, the one of this release. */
  readonly isShipped: boolean;
  /** Of the known model that the goldens or the graph are of. */
  readonly manifest: AnyManifest | null;
  /** Values of stages that are found by the graph's structure, because files of that model name them differently. */
  readonly structure: ReadonlyMap<string, string>;
  readonly bundle: GoldenBundle | null;
  /** Names of the files that the bundle came from. */
  readonly goldenFile: string;
  readonly checkpoint: NamedFile | null;
}

/** Where this release's files are; addresses with a slash at their end. */
export interface Bases {
  readonly models: FileBase;
  readonly goldens: FileBase;
}

/**
 * Makes sense of what was dropped. The graph is the dropped one, else the one that the bundle carries, else the one
 * that ships under the name that the bundle gives.
 *
 * @throws VoxlaneError `options` where there is no graph, or files do not go together; `format`, `model-*`
 */
export async function openFiles(given: readonly NamedFile[], bases: Bases): Promise<OpenedFiles> {
  const files = unpackOnnxTests(given);
  const manifests = await knownManifests(bases.models);
  const known = manifests.map(knownModel);
  const isKnown = (name: string): boolean => known.some(({ inputs, stages }) => [...inputs, ...stages].some((tensor) => tensor.name === name));
  // The graph first: its inputs tell which tensors are inputs.
  const dropped = files.find(({ name }) => /\.onnx$/i.test(name));
  const parsed = dropped && parseOnnx(dropped.bytes, dropped.name, findAmong(files, dropped.name));
  const graph = parsed && graphInfo(parsed);
  const graphInputs = graph ? [...graph.inputs, ...graph.defaults].map(({ name }) => name) : [];
  const computed = new Set(graph?.nodes.flatMap(({ outputs }) => outputs));
  const sorted = sortFiles(files, (name) => graphInputs.includes(name) || computed.has(name) || isKnown(name));
  const { goldens, checkpoint } = sorted;
  const test = graph && goldens.length === 0 && hasOnnxTest(files) ? readOnnxTest(files, graph) : null;
  const bundle = goldens.length > 0 ? readGoldens(goldens, known, graphInputs) : test;
  const goldenFile = goldens.length === 1 ? goldens[0]!.name : `${goldens.length} files`;
  const common = { bundle, goldenFile: test ? 'test_data_set' : goldenFile, checkpoint };
  if (dropped && parsed) return describe(common, parsed, dropped.bytes, dropped.name, manifests);
  if (bundle?.graph) {
    const { graph, graphData } = bundle;
    const locations = externalFilesOf(graph, common.goldenFile);
    const data = locations.length > 0 ? graphData?.(locations) : undefined;
    const model = parseOnnx(graph, common.goldenFile, (location) => data?.get(location));
    return describe(common, model, graph, bundle.model, manifests);
  }
  if (bundle && isShipped(bundle.model)) return { ...(await openShippedModel(bundle.model, bases)), ...common };
  throw new VoxlaneError({
    code: 'options',
    problem: bundle
      ? `The goldens are of ${bundle.model || 'a model without a name'}, which does not ship with this release`
      : 'A checkpoint alone cannot be compared',
    expected: `an .onnx graph beside it, or goldens of ${Object.keys(SHIPPED_MODELS).join(' or ')}`,
    remedy: 'Open the graph together with it',
  });
}

/** A shipped model with its shipped goldens. @throws VoxlaneError `model-*`, `format` */
export async function openShipped(id: ShippedModel, bases: Bases): Promise<OpenedFiles> {
  const opened = await openShippedModel(id, bases);
  const file = { name: `${id}.zip`, bytes: await fetchGoldens(id, bases.goldens) };
  return { ...opened, bundle: readGoldens([file], [], []), goldenFile: file.name };
}

async function openShippedModel(id: ShippedModel, { models }: Bases): Promise<OpenedFiles> {
  const { manifest, bytes } = await loadModel(SHIPPED_MODELS[id], id, models);
  const model = parseOnnx(bytes, `${id}/${manifest.file.name}`);
  return {
    name: id,
    model,
    info: graphInfo(model),
    bytes: bytes.length,
    sha256: manifest.file.sha256,
    isShipped: true,
    manifest,
    structure: new Map(),
    bundle: null,
    goldenFile: '',
    checkpoint: null,
  };
}

async function describe(
  common: Pick<OpenedFiles, 'bundle' | 'goldenFile' | 'checkpoint'>,
  model: ModelProto,
  bytes: Uint8Array,
  name: string,
  manifests: readonly AnyManifest[],
): Promise<OpenedFiles> {
  const sha256 = await sha256Hex(bytes);
  const same = manifests.find(({ file }) => file.sha256 === sha256);
  const manifest = same ?? manifests.find(({ id }) => id === common.bundle?.model) ?? null;
  return {
    ...common,
    // Goldens without a manifest know no name.
    name: manifest?.id ?? (common.bundle && common.bundle.model !== '' ? common.bundle.model : name),
    model,
    info: graphInfo(model),
    bytes: bytes.length,
    sha256,
    isShipped: same !== undefined,
    manifest,
    structure: structureOf(model, manifest),
  };
}

async function knownManifests(base: FileBase): Promise<AnyManifest[]> {
  return Promise.all(
    Object.entries(KNOWN_MODELS).map(([id, task]) => loadManifest<'segmentation' | 'embedding'>(task, id, base)),
  );
}

/** Stages of a network that pools statistics; none where it is no such network: then names have to tell. */
function structureOf(model: ModelProto, manifest: AnyManifest | null): ReadonlyMap<string, string> {
  if (manifest?.task !== 'embedding' || manifest.pooling !== 'statistics') return new Map();
  try {
    const network = splitAtPooling(model);
    return new Map([...resnetLayers(network), ['pooling', network.statistics], ['embedding', network.embedding]]);
  } catch (error) {
    if (error instanceof VoxlaneError && error.code === 'model-invalid') return new Map();
    throw error;
  }
}

/** What a known model's inputs and stages are called, so that tensors without a manifest can be recognized. */
function knownModel({ id, task, input, stages }: AnyManifest): KnownModel {
  // Recordings are what both kinds of model begin with; an embedding model's graph begins at the features.
  const waveform = { name: 'waveform', axes: ['batch', 'channel', 'sample'] };
  const inputs = task === 'embedding' ? [waveform, input] : [input];
  return { id, inputs, stages };
}

/** A stage that can be compared. */
export interface OpenedStage {
  /** As the golden bundle calls it. */
  readonly name: string;
  /** Graph value that it is tapped at; null for our own filterbank, and where the graph has none for it. */
  readonly value: string | null;
  /** Name of each axis of ours. */
  readonly axes: readonly string[];
  /** Size of each axis of the golden tensor. */
  readonly goldenShape: readonly number[];
  /** What the stage is judged by. */
  readonly tolerance: Tolerance;
  /** What its value is, if it is left out because that is no tensor of numbers: `a sequence`. */
  readonly skipped?: string;
  /** False where no graph value is known for it: the user may name one. */
  readonly isMapped: boolean;
}

/** What the opened files are. */
export interface Opened {
  /** Id of a shipped model, else the name of the file. */
  readonly model: string;
  /** Whether the graph is the one that ships with this release. */
  readonly isShipped: boolean;
  /** The graph that is compared. */
  readonly graph: {
    /** Length of its file. */
    readonly bytes: number;
    /** Of its file, 64 lower-case hex digits. */
    readonly sha256: string;
    /** Program that wrote it, as it says. */
    readonly producer: string;
    /** Of the default operator domain. */
    readonly opset: number;
    /** How many nodes it has. */
    readonly numNodes: number;
    /** What it takes. */
    readonly inputs: readonly {
      /** Of the input. */
      readonly name: string;
      /** Such as `float32`. */
      readonly dtype: string;
      /** Size of each axis, or the name of one that varies. */
      readonly shape: readonly (number | string)[];
    }[];
    /** Every value that can be tapped, in the order in which the graph computes them, and the op that gives it. */
    readonly values: readonly {
      /** Of the value. */
      readonly name: string;
      /** Operator that gives it, such as `Conv`. */
      readonly op: string;
    }[];
    /** Every node, in the order in which the graph computes them. */
    readonly nodes: readonly {
      /** Name of the node. */
      readonly name: string;
      /** Operator, such as `Conv`. */
      readonly op: string;
      /** Path of the module of the original network that computes it; null if it is not known. */
      readonly module: string | null;
      /** Attributes as short text, by name. */
      readonly attributes: Readonly<Record<string, string>>;
      /** Names of the values that it reads, including those that only its subgraphs read. */
      readonly inputs: readonly string[];
      /** Names of the values that it computes. */
      readonly outputs: readonly string[];
    }[];
    /** Every weight. */
    readonly weights: readonly {
      /** Name of the weight. */
      readonly name: string;
      /** Type of its elements, such as `float32`. */
      readonly dtype: string;
      /** Size of each axis. */
      readonly shape: readonly number[];
    }[];
  };
  /** Null where only a graph was given: then there is WebGPU against WASM by bisection. */
  readonly goldens: {
    /** Name of the bundle's file. */
    readonly file: string;
    /** In the order of the graph; those without a value of it last. */
    readonly stages: readonly OpenedStage[];
    /** As their writer told it. */
    readonly source: Readonly<Record<string, unknown>>;
    /** What was assumed or lost in reading, for people. */
    readonly notes: readonly string[];
  } | null;
  /** Whether a diarizer runs this graph on our own kernels on WASM, so that these can be compared as well. */
  readonly hasKernels: boolean;
  /** The recording that the bundle's input is, for playing and for the waveform above the heatmap. */
  readonly waveform: {
    /** Mono, axes (sample). */
    readonly samples: Float32Array;
    /** In hertz. */
    readonly sampleRate: number;
  } | null;
  /** File name of the checkpoint that was given beside the graph, for the weights audit. */
  readonly checkpoint: string | null;
}

/** What the panel shows of what was opened. */
export function describeOpened(files: OpenedFiles, plan: Plan | null): Opened {
  const { info, bundle, goldenFile } = files;
  const { initializer } = graphOf(files.model);
  const opOf = new Map(info.nodes.flatMap(({ op, outputs }) => outputs.map((name) => [name, op] as const)));
  return {
    model: files.name,
    isShipped: files.isShipped,
    graph: {
      bytes: files.bytes,
      sha256: files.sha256,
      producer: info.producer,
      opset: info.opset,
      numNodes: info.nodes.length,
      inputs: info.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: shape ?? [] })),
      values: valueNames(info).map((name) => ({ name, op: opOf.get(name)! })),
      nodes: info.nodes.map(({ name, op, scope, attributes, inputs, captured, outputs }) => ({
        name,
        op,
        module: scope?.paths[0] ?? null,
        attributes,
        // An optional input that is absent has no name.
        inputs: [...new Set([...inputs, ...captured])].filter((input) => input !== ''),
        outputs,
      })),
      weights: initializer.map(({ name, dataType, dims }) => ({ name, dtype: dtypeName(dataType), shape: dims.map(Number) })),
    },
    goldens: bundle &&
      plan && {
        file: goldenFile,
        stages: [
          ...plan.stages.map(({ golden, value, axes, isFeatures }) => ({
            ...describeStage(golden),
            value: isFeatures ? null : value,
            axes,
            isMapped: true,
          })),
          ...plan.skipped.map(({ golden, kind }) => ({ ...describeStage(golden), value: null, axes: golden.axes, isMapped: false, skipped: kind })),
          ...plan.unmapped.map((golden) => ({ ...describeStage(golden), value: null, axes: golden.axes, isMapped: false })),
        ],
        source: bundle.source,
        notes: [...bundle.notes, ...(files.manifest ? [] : unusedInputs(bundle, info)), ...unknownValues(bundle.stages, info), ...plan.skipped.map(({ golden, kind }) => `${golden.name} is left out: its value in the graph is ${kind}, no tensor of numbers`)],
      },
    hasKernels: hasKernels(files.model, files.manifest),
    waveform: plan?.waveform ?? null,
    checkpoint: files.checkpoint?.name ?? null,
  };
}

const describeStage = ({ name, shape, tolerance }: GoldenStage): Pick<OpenedStage, 'name' | 'goldenShape' | 'tolerance'> => ({
  name,
  goldenShape: shape,
  tolerance,
});
