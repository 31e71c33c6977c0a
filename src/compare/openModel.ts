import { findAmong } from '../onnx/external';
import { externalFilesOf, graphInfo, parseOnnx, type GraphInfo } from '../onnx/model';
import { resnetLayers, splitAtPooling } from '../onnx/pooled';
import type { ModelProto } from '../onnx/onnx_pb';
import { loadManifest, loadModel } from '../store/load';
import { isShipped, KNOWN_MODELS, SHIPPED_MODELS, type ShippedModel } from '../store/shipped';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { sha256Hex } from '../util/hash';
import type { GoldenBundle } from './bundle';
import type { KnownModel } from './files/assume';
import { fetchGoldens } from './fetchGoldens';
import { readGoldens, type NamedFile } from './files/goldenFiles';
import { hasOnnxTest, readOnnxTest, unpackOnnxTests } from './files/onnxTest';
import type { AnyManifest } from './plan';
import { sortFiles } from './sortFiles';

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
