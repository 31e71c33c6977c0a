/** Counts and measures Nemotron 3 Diarization on WebGPU in Node. `gpuFigures.ts` bundles it with the kernels and loads it. */
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { GPU_FORM } from '../../src/engine/streamStart';
import { openGpu } from '../../src/gpu/context';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import { seededWeights } from '../../src/sortformer/networkCheck';
import { stream } from '../../src/sortformer/speakerStream';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { STREAM_MODES } from '../../src/store/streamModes';
import { findDawn, installGpu } from '../../src/util/nodeDawn';
import { isSoftwareInfo } from '../../src/util/softwareAdapter';
import { graphInForm } from '../../src/weights/graphForm';
import { NEMOTRON, nemotronGraph } from '../../test/seededNemotron';
import { countMode, type GpuForm, type ModeWork, openCounted } from './gpuWork';

/** After that, cache and FIFO of each mode are full: 528 encoder frames of 80 ms. */
const WARMUP_SECONDS = 60;
/** Covers many periods of the FIFO, 18 s in streaming modes. */
const COUNTED_SECONDS = 600;

const settings = parseStreamingSettings(nemotron.streaming, NEMOTRON.id);
const frameSeconds = (settings.melFramesPerEncoderFrame * NEMOTRON.fbank.frameShiftMs) / 1000;

/** Work of the network in all modes. */
export interface NetworkWork {
  readonly form: GpuForm;
  readonly numLayers: number;
  /** Weights and tables on the GPU. */
  readonly weightBytes: number;
  readonly modes: readonly ModeWork[];
}

/** Counts all modes with weights in the form of the product. */
export async function countModes(numLayers: number = NEMOTRON.numLayers, countedSeconds = COUNTED_SECONDS): Promise<NetworkWork> {
  const { uploadedBytes, ...counted } = await openCounted(nemotronGraph(numLayers), NEMOTRON, GPU_FORM);
  const modes: ModeWork[] = [];
  for (const mode of STREAM_MODES) modes.push(await countMode(counted, { settings, mode, frameSeconds, warmupSeconds: WARMUP_SECONDS, countedSeconds }));
  return { form: GPU_FORM, numLayers, weightBytes: uploadedBytes, modes };
}

/** A run on a GPU. */
export interface GpuRun {
  readonly adapter: string;
  readonly audioSeconds: number;
  /** From the first sample to the last logits, with the filterbank. Without opening the network. */
  readonly seconds: number;
  readonly numFrames: number;
}

export interface RunOptions {
  readonly audioSeconds: number;
  readonly numLayers?: number;
  /** For tests: also on a software adapter, whose times say nothing about a GPU. */
  readonly allowSoftware?: boolean;
}

/**
 * Runs a recording in offline mode with seeded weights.
 *
 * @param samples axes (sample), 16 kHz, repeated to `audioSeconds`
 * @returns null if there is no GPU
 */
export async function runOnGpu(samples: Float32Array, { audioSeconds, numLayers = NEMOTRON.numLayers, allowSoftware = false }: RunOptions): Promise<GpuRun | null> {
  const dawn = await findDawn();
  const adapter = await dawn?.requestAdapter({ powerPreference: 'high-performance' });
  if (!dawn || !adapter || (isSoftwareInfo(adapter.info) && !allowSoftware)) return null;
  const { globals } = await import('webgpu');
  installGpu(dawn, globals);
  const gpu = await openGpu();
  const graph = nemotronGraph(numLayers);
  const network = await GpuNetwork.open(gpu, { model: graphInForm(graph, GPU_FORM), weights: await seededWeights(graph, NEMOTRON, GPU_FORM), manifest: NEMOTRON, filterbank: NEMOTRON });
  const run = async (blocks: Iterable<Float32Array>): Promise<number> => {
    let numFrames = 0;
    for await (const decided of stream('samples', blocks, { network, settings, mode: 'offline', frontEnd: cpuFrontEnd(NEMOTRON) })) numFrames += decided.numFrames;
    return numFrames;
  };
  try {
    // The first step allocates its buffers.
    await run([samples.slice(0, NEMOTRON.sampleRate)]);
    const start = performance.now();
    const numFrames = await run(repeated(samples, Math.round(audioSeconds * NEMOTRON.sampleRate)));
    return { adapter: gpu.adapterName, audioSeconds, seconds: (performance.now() - start) / 1000, numFrames };
  } finally {
    await network.release();
    gpu.device.destroy();
  }
}

function* repeated(samples: Float32Array, total: number): Generator<Float32Array> {
  for (let left = total; left > 0; left -= samples.length) yield samples.subarray(0, left);
}
