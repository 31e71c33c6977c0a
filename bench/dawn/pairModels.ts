/** Both networks on both sides of a paired run. Bundled for Node, because it opens the models in the thread of the program. */
import { delayTiering } from '../../cli/engine/delayTiering';
import type { EmbedBatch } from '../../src/embedding/embedder';
import { Segmenter } from '../../src/segmentation/segment';
import { findDawn, installGpu } from '../../src/util/nodeDawn';
import { concatenate } from '../../src/util/values';
import type { LoadRequest } from '../../workers/contracts';
import { openEmbedding, openSegmentation } from '../../workers/model';
import { wavData } from './audio';
import { type Batches, SIDES, type Side } from './pair';

export interface PairSetup {
  /** Addresses with a slash at their end. */
  readonly modelsBase: string;
  readonly runtimeBase: string;
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
 * Opens both networks with our own kernels and with ONNX Runtime, each with a device of its own.
 *
 * @throws Error with a one-line message if ONNX Runtime would compute the networks of both sides
 */
export async function openPair({ modelsBase, runtimeBase, sample, numWindows }: PairSetup): Promise<PairModels> {
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
  for (const side of SIDES) opened.set(side, await openSide((id) => request(id, 'webgpu', side)));
  const batchesOf = (side: Side): Batches[Side] => {
    const { segmentation, embedding } = opened.get(side)!;
    return {
      segmentation: () => segmentation.graph.run({ data, shape: [numWindows, 1, windowSamples] }),
      embedding: () => embedding.embedder.embed(batch),
    };
  };
  const { embedder, manifest: { embeddingSize } } = await openEmbedding(request('campplus-zh-en', 'wasm', 'own'), null);
  const { embeddings } = await embedder.embed(batch);
  await embedder.close();
  return {
    batches: { own: batchesOf('own'), runtime: batchesOf('runtime') },
    numEmbeddings: embeddings.filter((value, i) => i % embeddingSize === 0 && !Number.isNaN(value)).length,
    close: async () => {
      for (const { segmentation, embedding } of opened.values()) {
        await segmentation.graph.release();
        await embedding.embedder.close();
      }
    },
  };
}

async function openSide(request: (modelId: string) => LoadRequest) {
  const segmentation = await openSegmentation(request('segmentation-3.0'));
  const embedding = await openEmbedding(request('campplus-zh-en'), null);
  return { segmentation, embedding };
}

/** The first windows of the sample, as a run cuts them. */
function windowsOf(sample: Uint8Array, numWindows: number, windowSamples: number, hopSamples: number): Float32Array[] {
  const bytes = wavData(sample);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: numWindows }, (_, window) =>
    Float32Array.from({ length: windowSamples }, (_, i) => view.getInt16(2 * (window * hopSamples + i), true) / 32768));
}
