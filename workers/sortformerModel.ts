import { testConversation } from '../src/embedding/testSpeech';
import { parseGraphAlone } from '../src/onnx/model';
import { openGpu } from '../src/gpu/context';
import { openSession } from '../src/ort/session';
import { checkHealth } from '../src/sortformer/checkHealth';
import { GpuNetwork } from '../src/sortformer/gpuNetwork';
import { GraphNetwork, type Weights } from '../src/sortformer/graphNetwork';
import { cpuFrontEnd } from '../src/sortformer/melFrontEnd';
import { checkNetwork, type OpenedNetwork } from '../src/sortformer/networkCheck';
import { SpeakerStream } from '../src/sortformer/speakerStream';
import { fetchChecked } from '../src/store/load';
import { loadDiarizationFacts } from '../src/store/loadDiarization';
import type { StreamMode } from '../src/store/streamModes';
import { VoxlaneError } from '../src/util/errors';
import { addressIn } from '../src/util/fileBase';
import { loadWeights } from '../src/weights/bind';
import { expectedWeights } from '../src/weights/expected';
import { graphInForm } from '../src/weights/graphForm';
import { type PreparedWeights, WeightsStore } from '../src/weights/weightsStore';
import type { ModelCheck } from '../src/compare/modelCheck';
import type { DiarizationFacts } from '../src/store/loadDiarization';
import type { ModelProto } from '../src/onnx/onnx_pb';
import type { OnDownload, SortformerArithmetic, SortformerReply, SortformerRequest } from './contracts';
import { namedFile } from './namedFile';

/** A diarization model loaded in a worker. */
interface SortformerModel {
  readonly reply: SortformerReply;
  /** Starts a recording. */
  readonly openStream: (mode: StreamMode) => SpeakerStream;
}

/** Length of the sound for {@link checkHealth}. */
const HEALTH_SECONDS = 5;

/** The graph of a model, which is part of this release, and what computes it. */
interface Graph extends DiarizationFacts {
  readonly graph: ModelProto;
  /** Opens the graph, or one with fewer layers. `weights` are in the form of the request. */
  readonly open: (graph: ModelProto, weights: Weights) => Promise<OpenedNetwork>;
  /** Frees the device. */
  readonly close: () => void;
}

async function openGraph({ modelId, modelsBase, runtimeBase, backend, threads, form }: SortformerArithmetic): Promise<Graph> {
  const facts = await loadDiarizationFacts(modelId, modelsBase);
  const { manifest } = facts;
  const { file } = manifest;
  const graph = parseGraphAlone(await fetchChecked(addressIn(modelsBase, `${modelId}/${file.name}`), file), file.name);
  if (backend === 'webgpu') {
    const gpu = await openGpu();
    return {
      ...facts,
      graph,
      // Mel frames of an hour take 4 s on the CPU, most of the 6 s that an hour may take on a GPU.
      open: (part, weights) => GpuNetwork.open(gpu, { model: graphInForm(part, form), weights, manifest, filterbank: manifest }),
      close: () => { gpu.device.destroy(); },
    };
  }
  const open = (part: ModelProto, weights: Weights): Promise<OpenedNetwork> =>
    GraphNetwork.open({
      model: graphInForm(part, form),
      manifest,
      weights,
      open: (bytes, externalData) => openSession(bytes, { runtimeBase, threads, gpu: null, externalData }),
    });
  return { ...facts, graph, open, close: () => undefined };
}

/**
 * Checks what computes a diarization model. See {@link checkNetwork}.
 *
 * @throws VoxlaneError `model-*`, `backend-*`, `gpu-lost`, `gpu-memory`
 */
export async function checkSortformer(request: SortformerArithmetic): Promise<ModelCheck> {
  const { form, backend } = request;
  const { graph, manifest, open, close } = await openGraph(request);
  try {
    return await checkNetwork(graph, manifest, { form, backend, open });
  } finally {
    close();
  }
}

/**
 * Opens a diarization model: the graph that is part of this release, with the weights that the user stored, brought or
 * now downloads. Every tensor is bound by its name and checked; if one does not fit, nothing runs.
 *
 * @throws VoxlaneError `model-*`, `backend-*`, `gpu-*`; `model-altered` for a file of unknown hash that is not trusted, after its
 *   checks
 */
export async function openSortformer(request: SortformerRequest, onDownload: OnDownload | null): Promise<SortformerModel> {
  const { modelId, modelsBase, hub, trustUnknownModel, form } = request;
  const modelFile = await namedFile(request);
  const { manifest, streaming: settings, graph, open } = await openGraph(request);
  const expected = expectedWeights(graph);
  const store = new WeightsStore();
  // A file from the user is not trusted yet. A stored file was checked before it was stored.
  let prepared: PreparedWeights = await store.prepare(modelId, [manifest.weights], {
    base: modelsBase,
    hub,
    dropped: modelFile,
    trustUnknown: modelFile === undefined && trustUnknownModel,
    trustChecked: trustUnknownModel,
    expected,
    form,
    onProgress: ({ step, doneBytes, totalBytes }) => {
      if (step !== 'verify') onDownload?.({ step, receivedBytes: doneBytes, totalBytes });
    },
  });
  const network = await open(graph, await loadWeights(prepared.weights, { allowZeros: !prepared.unknown }));
  const frontEnd = cpuFrontEnd(manifest);
  if (prepared.unknown && prepared.origin === 'dropped') {
    await checkHealth(modelId, { network, settings, frontEnd }, testConversation(manifest.sampleRate, HEALTH_SECONDS * manifest.sampleRate, 1));
    if (!trustUnknownModel) throw unknownFile(modelId, modelFile, prepared.sha256, manifest.weights);
    // Stored only after the check.
    prepared = await store.keep(modelId, prepared, { form });
  }
  const isTrusted = prepared.unknown && prepared.origin === 'dropped';
  const note = [isTrusted ? trustedNote(modelId, modelFile, prepared.sha256) : null, prepared.note].filter((text) => text !== null).join('. ') || null;
  return {
    reply: { manifest, streaming: settings, sha256: prepared.sha256, note },
    openStream: (mode) => new SpeakerStream('samples', { network, settings, frontEnd, mode }),
  };
}

const nameOf = (file: Blob | undefined): string => (file instanceof File ? `The file ${file.name}` : 'The file');

/** Note for the first result of a file of unknown hash. The store has its own for later visits. */
const trustedNote = (id: string, file: Blob | undefined, sha256: string): string =>
  `${nameOf(file)} is not a known file of ${id}. It is used because it was trusted: SHA-256 ${sha256}`;

const unknownFile = (id: string, file: Blob | undefined, sha256: string, known: { readonly name: string; readonly sha256: string }): VoxlaneError =>
  new VoxlaneError({
    code: 'model-altered',
    problem: `${nameOf(file)} is not a known file of ${id}: its SHA-256 is ${sha256}`,
    expected: `${known.name}, ${known.sha256}`,
    remedy: 'Its shapes and values are plausible. Use it only if you trust its source',
  });
