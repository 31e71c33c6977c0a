/** All networks on both sides of a paired run. Bundled for Node, because it opens the models in the thread of the program. */
import { delayTiering } from '../../cli/engine/delayTiering';
import type { EmbedBatch } from '../../src/embedding/embedder';
import { openPooledEmbedder } from '../../src/embedding/pooledEmbedder';
import { openGpu } from '../../src/gpu/context';
import { Segmenter } from '../../src/segmentation/segment';
import { loadManifest } from '../../src/store/load';
import type { EmbeddingManifest } from '../../src/store/manifest';
import { findDawn, installGpu } from '../../src/util/nodeDawn';
import { concatenate } from '../../src/util/values';
import type { LoadRequest } from '../../workers/contracts';
import { openEmbedding, openSegmentation } from '../../workers/model';
import { seededResnet34 } from '../../test/seededModel';
import { wavData } from './audio';
import { type Batches, SIDES, type Side } from './pair';

export interface PairSetup {
  /** Addresses with a slash at their end. */
  readonly modelsBase: string;
  readonly runtimeBase: string;
  /** Folder with the graph of ResNet34 without weights, which are seeded. */
  readonly skeletons: string;
  /** Bytes of a 16-bit mono WAV file at 16 kHz. */
  readonly sample: Uint8Array;
  /** At most those of the sample. */
  readonly numWindows: number;
}

/** Opened models. */
export interface PairModels {
  readonly batches: Batches;
  readonly numEmbeddings: number;
  close(): Promise<void>;
}

/**
 * Opens all networks with our own kernels and with ONNX Runtime, each with a device of its own.
 *
 * @throws Error with a one-line message if ONNX Runtime would compute the networks of both sides
 */
export async function openPair({ modelsBase, runtimeBase, skeletons, sample, numWindows }: PairSetup): Promise<PairModels> {
  const gpu = await findDawn();
  const { globals } = await import('webgpu');
  // ONNX Runtime reads both from the global object. In threads, the engine defines them.
  installGpu(gpu!, globals);
  delayTiering();
  const request = (modelId: string, backend: LoadRequest['backend'], side: Side): LoadRequest => ({
    modelId,
    backend,
    modelsBase,
    runtimeBase,
    threads: 1,
    hub: null,
    modelFile: undefined,
    modelName: undefined,
    trustUnknownModel: false,
    ownKernels: side === 'own',
    arithmetic: 'float32',
  });
  const wasm = await openSegmentation(request('segmentation-3.0', 'wasm', 'own'));
  const { windowSamples, hopSamples, powerset } = wasm.manifest;
  const windows = windowsOf(sample, numWindows, windowSamples, hopSamples);
  const data = concatenate(windows);
  // The same local speakers for both sides.
  const segmenter = new Segmenter(wasm.graph, wasm.manifest);
  const activities: Uint8Array[] = [];
  for (const window of windows) activities.push(await segmenter.segment(window));
  await wasm.graph.release();
  const activity = Uint8Array.from(activities.flatMap((own) => [...own]));
  const batch: EmbedBatch = { windows: data, activity, numWindows, numSpeakers: powerset.mapping[0]!.length };

  const opened = new Map<Side, Awaited<ReturnType<typeof openSide>>>();
  const resnet = { bytes: seededResnet34('wespeaker', skeletons), manifest: await loadManifest('embedding', 'wespeaker-resnet34-lm', modelsBase) };
  for (const side of SIDES) opened.set(side, await openSide((id) => request(id, 'webgpu', side), resnet));
  const batchesOf = (side: Side): Batches[Side] => {
    const { segmentation, embedding, resnet34 } = opened.get(side)!;
    return {
      segmentation: () => segmentation.graph.run({ data, shape: [numWindows, 1, windowSamples] }),
      embedding: () => embedding.embedder.embed(batch),
      resnet34: () => resnet34.embed(batch),
    };
  };
  const { embedder, manifest: { embeddingSize } } = await openEmbedding(request('campplus-zh-en', 'wasm', 'own'), null);
  const { embeddings } = await embedder.embed(batch);
  await embedder.close();
  return {
    batches: { own: batchesOf('own'), runtime: batchesOf('runtime') },
    numEmbeddings: embeddings.filter((value, i) => i % embeddingSize === 0 && !Number.isNaN(value)).length,
    close: async () => {
      for (const { segmentation, embedding, resnet34 } of opened.values()) {
        await segmentation.graph.release();
        await embedding.embedder.close();
        await resnet34.close();
      }
    },
  };
}

async function openSide(request: (modelId: string) => LoadRequest, resnet: { readonly bytes: Uint8Array; readonly manifest: EmbeddingManifest }) {
  const segmentation = await openSegmentation(request('segmentation-3.0'));
  const embedding = await openEmbedding(request('campplus-zh-en'), null);
  const resnet34 = await openPooledEmbedder(resnet.bytes, resnet.manifest, { ...request(resnet.manifest.id), gpu: await openGpu() });
  return { segmentation, embedding, resnet34 };
}

/** The first windows of the sample, as a run cuts them. */
function windowsOf(sample: Uint8Array, numWindows: number, windowSamples: number, hopSamples: number): Float32Array[] {
  const bytes = wavData(sample);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: numWindows }, (_, window) =>
    Float32Array.from({ length: windowSamples }, (_, i) => view.getInt16(2 * (window * hopSamples + i), true) / 32768));
}
