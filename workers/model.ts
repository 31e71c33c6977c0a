import type { BackendName } from '../src/compare/report';
import { CampplusNet } from '../src/embedding/campplusNet';
import { CpuEmbedder, type Embedder, GpuEmbedder } from '../src/embedding/embedder';
import { GpuCampplus } from '../src/embedding/gpuCampplus';
import { openPooledEmbedder } from '../src/embedding/pooledEmbedder';
import { checkHealth } from '../src/embedding/testSpeech';
import { openGpu, type GpuContext } from '../src/gpu/context';
import { openGraph, type Graph, type GraphOptions } from '../src/ort/graph';
import { GpuPyannet } from '../src/segmentation/gpuPyannet';
import { bestBuild } from '../src/nn/kernels';
import { PyannetNet } from '../src/segmentation/pyannetNet';
import { loadManifest, loadModel } from '../src/store/load';
import type { EmbeddingManifest, SegmentationManifest } from '../src/store/manifest';
import { ModelStore, type ModelFile } from '../src/store/modelStore';
import { bundledSources } from '../src/store/sources';
import { VoxlaneError } from '../src/util/errors';
import type { LoadReply, LoadRequest, OnDownload } from './contracts';
import { namedFile } from './namedFile';

/** A model loaded in a worker. */
interface WorkerModel<Manifest> {
  readonly manifest: Manifest;
  /** The device of the model; null on WASM. */
  readonly gpu: GpuContext | null;
  /** The backend that computes the model. */
  readonly backend: BackendName;
  /** Whether it multiplies int16. Its self-check then has the lengths of a run too. */
  readonly isInt16: boolean;
  readonly reply: LoadReply<Manifest>;
}

export interface SegmentationModel extends WorkerModel<SegmentationManifest> {
  readonly graph: Graph;
  /** Opens the same file on WASM, as the reference for a GPU. The caller releases it. */
  readonly openReference: () => Promise<Graph>;
}

export interface EmbeddingModel extends WorkerModel<EmbeddingManifest> {
  readonly embedder: Embedder;
  /** Opens the same file on WASM, as the reference for a GPU. The caller closes it. */
  readonly openReference: () => Promise<Embedder>;
}

/** Loads the verified model and creates its session. On WebGPU, the model has its own device. */
export async function openSegmentation(request: LoadRequest): Promise<SegmentationModel> {
  const { modelId, modelsBase } = request;
  const { manifest, bytes } = await loadModel('segmentation', modelId, modelsBase);
  const gpu = request.backend === 'webgpu' ? await openGpu() : null;
  const openOn = (device: GpuContext | null): Promise<OpenedGraph> =>
    openOwn(
      () => (device ? GpuPyannet.open(device, bytes, manifest) : PyannetNet.open(bytes, manifest, bestBuild(), request.arithmetic)),
      bytes,
      manifest,
      { ...request, gpu: device },
    );
  const { graph, backend } = await openOn(gpu);
  const reply = { manifest, adapter: gpu?.adapterName ?? null, sha256: manifest.file.sha256, note: null, hasGoldens: true };
  return { manifest, graph, gpu, backend, isInt16: isInt16(backend, request), reply, openReference: async () => (await openOn(null)).graph };
}

/**
 * Opens an embedding model. The file is bundled, downloaded or brought by the user.
 *
 * @throws VoxlaneError `model-altered` for a file of unknown hash that is not trusted, after its checks
 */
export async function openEmbedding(request: LoadRequest, onDownload: OnDownload | null): Promise<EmbeddingModel> {
  const { modelId, modelsBase } = request;
  const manifest = await loadManifest('embedding', modelId, modelsBase);
  // A file from the user is not trusted yet. A stored file was checked before it was stored.
  const trustUnknownModel = request.modelFile === undefined && request.trustUnknownModel;
  let file = await getFile(manifest, { ...request, trustUnknownModel }, onDownload);
  const { bytes } = file;
  const openOn = (gpu: GpuContext | null): Promise<OpenedEmbedder> => openEmbedder(bytes, manifest, request, gpu);
  let opened: OpenedEmbedder | null = null;
  if (file.unknown && file.origin === 'dropped') {
    // On WASM even if a GPU will run the model: the check concerns the file, and a slow adapter would take a minute.
    const judge = await openOn(null);
    await vet(judge.embedder, manifest, file, request);
    // Stored only after the check.
    file = await getFile(manifest, request, null);
    if (request.backend === 'wasm') opened = judge;
    else await judge.embedder.close();
  }
  const gpu = request.backend === 'webgpu' ? await openGpu() : null;
  opened ??= await openOn(gpu);
  const hasGoldens = !manifest.sources && file.sha256 === manifest.file.sha256;
  const reply = { manifest, adapter: gpu?.adapterName ?? null, sha256: file.sha256, note: file.note, hasGoldens };
  return { manifest, ...opened, gpu, isInt16: isInt16(opened.backend, request), reply, openReference: async () => (await openOn(null)).embedder };
}

const isInt16 = (backend: BackendName, { arithmetic }: LoadRequest): boolean => backend === 'kernels' && arithmetic === 'int16';

async function getFile(
  manifest: EmbeddingManifest,
  request: LoadRequest,
  onDownload: OnDownload | null,
): Promise<Pick<ModelFile, 'bytes' | 'sha256' | 'file' | 'origin' | 'unknown' | 'note'>> {
  const { modelId, modelsBase, hub, modelFile, trustUnknownModel } = request;
  const { sources, file } = manifest;
  if (!sources && !modelFile) {
    // It is part of the page, so the browser's own cache keeps it.
    const { bytes } = await loadModel('embedding', modelId, modelsBase);
    return { bytes, sha256: file.sha256, file: file.name, origin: 'bundled', unknown: false, note: null };
  }
  return new ModelStore().getModel(modelId, sources ?? bundledSources(manifest), {
    base: modelsBase,
    hub,
    dropped: await namedFile(request),
    trustUnknown: trustUnknownModel,
    onProgress: onDownload ? (progress) => { onDownload({ step: 'download', ...progress }); } : undefined,
  });
}

async function openEmbedder(
  bytes: Uint8Array,
  manifest: EmbeddingManifest,
  request: LoadRequest,
  gpu: GpuContext | null,
): Promise<OpenedEmbedder> {
  const options = { ...request, gpu };
  if (manifest.pooling === 'statistics') {
    // On WASM, ONNX Runtime computes the network. The pooling after it is plain JavaScript.
    return { embedder: await openPooledEmbedder(bytes, manifest, options), backend: gpu ? 'webgpu' : 'wasm' };
  }
  const { graph, backend } = await openOwn(
    () => (gpu ? GpuCampplus.open(gpu, bytes, manifest) : CampplusNet.open(bytes, manifest, bestBuild(), request.arithmetic)),
    bytes,
    manifest,
    options,
  );
  const embedder = gpu ? await GpuEmbedder.create(gpu, graph, manifest) : new CpuEmbedder(graph, manifest);
  return { embedder, backend };
}

/** A network and its backend. */
interface OpenedGraph {
  readonly graph: Graph;
  readonly backend: BackendName;
}

interface OpenedEmbedder {
  readonly embedder: Embedder;
  readonly backend: BackendName;
}

/** Errors of our own kernels after which ONNX Runtime opens the same file: another graph, no SIMD, no compilation. */
const OTHERWISE_RUNTIME: readonly string[] = ['model-invalid', 'backend-unavailable', 'backend-failed'];

/**
 * Our own kernels compute the supported graphs: on WASM almost twice as fast, on a GPU with a small share of the
 * dispatches. ONNX Runtime computes all other graphs, and all graphs without `ownKernels`.
 */
async function openOwn(
  open: () => Graph | Promise<Graph>,
  bytes: Uint8Array,
  manifest: EmbeddingManifest | SegmentationManifest,
  options: GraphOptions & Pick<LoadRequest, 'ownKernels'>,
): Promise<OpenedGraph> {
  const openOther = async (): Promise<OpenedGraph> =>
    ({ graph: await openGraph(bytes, manifest, options), backend: options.gpu ? 'webgpu' : 'wasm' });
  if (!options.ownKernels) return openOther();
  try {
    return { graph: await open(), backend: options.gpu ? 'webgpu' : 'kernels' };
  } catch (error) {
    const isOther = error instanceof VoxlaneError && OTHERWISE_RUNTIME.includes(error.code);
    // On WASM, the kernels fail only without memory, which ONNX Runtime would need too.
    if (!isOther || (error.code === 'backend-failed' && !options.gpu)) throw error;
    return openOther();
  }
}

/**
 * Checks the values of a file with unknown hash. Its shapes are already verified. After that, the user must trust it.
 */
async function vet(
  embedder: Embedder,
  manifest: EmbeddingManifest,
  file: Pick<ModelFile, 'file' | 'sha256'>,
  { trustUnknownModel }: LoadRequest,
): Promise<void> {
  await checkHealth(embedder, manifest);
  if (trustUnknownModel) return;
  throw new VoxlaneError({
    code: 'model-altered',
    problem: `${file.file} is not a known file of ${manifest.id}: its SHA-256 is ${file.sha256}`,
    expected: manifest.sources?.map(({ name, sha256 }) => `${name}, ${sha256}`).join('; ') ?? manifest.file.sha256,
    remedy: 'Its shapes and values are plausible. Use it only if you trust its source',
  });
}
