import { externalFilesOf, graphInfo, type GraphInfo, parseGraphAlone, parseOnnx } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { resnetLayers, splitAtPooling } from '../onnx/pooled';
import { attachExternalData, type FindData, findAmong } from '../onnx/tensors';
import type { DiarizationManifest } from '../store/diarizationManifest';
import { loadManifest, loadModel } from '../store/load';
import { loadDiarizationFacts } from '../store/loadDiarization';
import { isShipped, KNOWN_MODELS, SHIPPED_MODELS, type ShippedModel } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { sha256Hex } from '../util/hash';
import { isBoundByName, withBoundWeights } from './boundWeights';
import { bundleOfStep, fetchGoldens, type GoldenBundle } from './files/bundle';
import { type KnownModel, type NamedFile, readGoldens } from './files/goldenFiles';
import { readNpz } from './files/npy';
import { hasOnnxTest, readOnnxTest, unpackOnnxTests } from './files/onnxTest';
import { readSafetensors } from './files/safetensors';
import type { WeightsForm } from '../weights/convert';
import type { AnyManifest } from './plan';
import { joinState } from './steps/joinState';

/** Opened files, by purpose. */
interface SortedFiles {
  readonly graph: NamedFile | null;
  /** One bundle, in any form. */
  readonly goldens: readonly NamedFile[];
  /** Trained weights, for the audit. */
  readonly checkpoint: NamedFile | null;
}

/** `inputs/waveform`, `stages.lstm` */
const ROLE = /^(inputs|stages)[/.]/;
const PICKLES = /\.(pt|pth|bin|ckpt|pkl)$/i;

/**
 * Sorts files into graph, goldens and checkpoint, by file extension.
 *
 * A `.npz` or `.safetensors` file can be goldens or a checkpoint. It counts as goldens if one of its tensors is named like
 * an input or stage of a model, or `inputs/NAME` or `stages/NAME`, and no bundle is among the files.
 *
 * @param isGolden true for the name of an input or stage of a model
 * @throws VoxlaneError `options` for two graphs or checkpoints, or an unusable file; `format` for pickles
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
    ? // All files that the manifest names, which may include a graph; other files are ignored.
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

/** A graph and the files that were opened with it. */
export interface OpenedFiles {
  /** ID of a bundled model, else the name in the bundle, else the file name. */
  readonly name: string;
  readonly model: ModelProto;
  readonly info: GraphInfo;
  readonly bytes: number;
  readonly sha256: string;
  /** True if the graph is byte-identical to one of this release. */
  readonly isShipped: boolean;
  /** Manifest of the known model of the goldens or the graph. */
  readonly manifest: AnyManifest | null;
  /** Values of stages that are found by the graph's structure, because files of that model name them differently. */
  readonly structure: ReadonlyMap<string, string>;
  /** With {@link streamed}, that of the selected step. */
  readonly bundle: GoldenBundle | null;
  /** The steps of a model with a state; null for other models. */
  readonly streamed: StreamedGoldens | null;
  /** Names of the files of the bundle. */
  readonly goldenFile: string;
  readonly checkpoint: NamedFile | null;
}

/** Goldens of a model with a state. */
export interface StreamedGoldens {
  /** With all recorded steps. */
  readonly bundle: GoldenBundle;
  readonly manifest: DiarizationManifest;
  /** Number of the selected step in the recording. */
  readonly selected: number;
}

/** Folders of this release; addresses with a trailing slash. */
export interface Bases {
  readonly models: FileBase;
  readonly goldens: FileBase;
}

/**
 * Opens files. The graph is the given one, else the one in the bundle, else the bundled model named in the bundle.
 *
 * @throws VoxlaneError `options` if there is no graph, or files do not match; `format`, `model-*`
 */
export async function openFiles(given: readonly NamedFile[], bases: Bases, form: WeightsForm = 'float32'): Promise<OpenedFiles> {
  const opened = await openParts(given, bases);
  if (form !== 'float32' && !isBoundByName(opened.model)) throw noForm(form);
  const model = isBoundByName(opened.model) ? await withBoundWeights(opened.model, opened.checkpoint, form) : opened.model;
  const { bundle } = opened;
  if (!bundle?.streaming) return { ...opened, model, info: form === 'float32' ? opened.info : graphInfo(model) };
  const { manifest } = await loadDiarizationFacts(bundle.model, bases.models);
  const joined = joinState(model, manifest.tensors);
  return selectStep({ ...opened, model: joined, info: graphInfo(joined), streamed: { bundle, manifest, selected: 0 } }, bundle.streaming.steps[0]!.index);
}

const noForm = (form: WeightsForm): VoxlaneError =>
  new VoxlaneError({
    code: 'options',
    problem: `The weights of this graph cannot be converted to ${form}: they are part of it`,
    expected: 'a graph whose weights are in a .safetensors file, such as that of Nemotron 3 Diarization',
    remedy: 'Omit the form. Comparator.precision rounds the weights of other graphs',
  });

/**
 * Selects a recorded step: its inputs, which include the golden state, and its stages become those of the bundle.
 *
 * @throws VoxlaneError `options` for a step that is not recorded
 */
export function selectStep(files: OpenedFiles, index: number): OpenedFiles {
  const { streamed } = files;
  const steps = streamed?.bundle.streaming?.steps ?? [];
  const step = steps.find((one) => one.index === index);
  if (streamed && step) return { ...files, bundle: bundleOfStep(streamed.bundle, step), streamed: { ...streamed, selected: index } };
  throw new VoxlaneError({
    code: 'options',
    problem: `The goldens have no step ${index}`,
    expected: steps.length > 0 ? `one of ${steps.map((one) => one.index).join(', ')}` : 'goldens of a model with a state',
    remedy: 'Choose a recorded step',
  });
}

/** Graphs whose weights are bound by name stay without them. */
function parseGraph(bytes: Uint8Array, name: string, findData: FindData): ModelProto {
  const model = parseGraphAlone(bytes, name);
  if (!isBoundByName(model)) attachExternalData(model, name, findData);
  return model;
}

async function openParts(given: readonly NamedFile[], bases: Bases): Promise<OpenedFiles> {
  const files = unpackOnnxTests(given);
  const manifests = await knownManifests(bases.models);
  const known = manifests.map(knownModel);
  const isKnown = (name: string): boolean => known.some(({ inputs, stages }) => [...inputs, ...stages].some((tensor) => tensor.name === name));
  // The graph comes first: its inputs determine which tensors are inputs.
  const dropped = files.find(({ name }) => /\.onnx$/i.test(name));
  const parsed = dropped && parseGraph(dropped.bytes, dropped.name, findAmong(files, dropped.name));
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
    const model = parseGraph(graph, common.goldenFile, (location) => data?.get(location));
    return describe(common, model, graph, bundle.model, manifests);
  }
  if (bundle && isShipped(bundle.model)) return { ...(await openShippedModel(bundle.model, bases)), ...common };
  throw new VoxlaneError({
    code: 'options',
    problem: bundle
      ? `The goldens belong to ${bundle.model || 'a model without a name'}, which does not ship with this release`
      : 'A checkpoint alone cannot be compared',
    expected: `an .onnx graph beside it, or goldens of ${Object.keys(SHIPPED_MODELS).join(' or ')}`,
    remedy: 'Open the graph together with it',
  });
}

/** Opens a bundled model with its shipped goldens. @throws VoxlaneError `model-*`, `format` */
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
    streamed: null,
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
    // Goldens without a manifest have no model name.
    name: manifest?.id ?? (common.bundle && common.bundle.model !== '' ? common.bundle.model : name),
    model,
    info: graphInfo(model),
    bytes: bytes.length,
    sha256,
    isShipped: same !== undefined,
    manifest,
    structure: structureOf(model, manifest),
    streamed: null,
  };
}

async function knownManifests(base: FileBase): Promise<AnyManifest[]> {
  return Promise.all(
    Object.entries(KNOWN_MODELS).map(([id, task]) => loadManifest<'segmentation' | 'embedding'>(task, id, base)),
  );
}

/** Stages of a network with statistics pooling; empty for other networks, whose stages are found by name. */
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

/** Input and stage names of a known model, to recognize tensors without a manifest. */
function knownModel({ id, task, input, stages }: AnyManifest): KnownModel {
  // Both kinds of model start from a recording; the graph of an embedding model starts from the features.
  const waveform = { name: 'waveform', axes: ['batch', 'channel', 'sample'] };
  const inputs = task === 'embedding' ? [waveform, input] : [input];
  return { id, inputs, stages };
}
