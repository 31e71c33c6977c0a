/** Counts the GPU work of Nemotron 3 Diarization: the product's loop and network run on a device that only counts. */
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import type { Weights } from '../../src/sortformer/graphNetwork';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import type { FrontEnd } from '../../src/sortformer/sampleFramer';
import { SpeakerStream } from '../../src/sortformer/speakerStream';
import { blockLengths } from '../../src/sortformer/stepSchedule';
import type { DiarizationManifest } from '../../src/store/diarizationManifest';
import type { StreamMode } from '../../src/store/streamModes';
import { modeSizes, type StreamingSettings } from '../../src/store/streamingSettings';
import { BYTES_PER_ELEMENT } from '../../src/util/elementTypes';
import { sizeOf } from '../../src/util/shape';
import type { WeightsForm } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { graphInForm } from '../../src/weights/graphForm';
import { fbankFlopsPerFrame } from '../profile/work';
import { countingGpu, type CountingGpu, type GpuWork } from './countingDevice';

/** Weights that a network on WebGPU can have. */
export type GpuForm = Exclude<WeightsForm, 'int8'>;

export interface CountedNetwork extends Pick<CountingGpu, 'take'> {
  readonly network: GpuNetwork;
  /** Of the last batch of a recording, which is not counted, and with the sizes of the others. */
  readonly frontEnd: FrontEnd;
  /** Bytes that are uploaded once: weights and tables. */
  readonly uploadedBytes: number;
}

/**
 * Opens the network on a device that counts. Its weights are zeros, because the work depends on their shapes and types only.
 *
 * @param graph of `parseGraphAlone`
 */
export async function openCounted(graph: ModelProto, manifest: DiarizationManifest, form: GpuForm): Promise<CountedNetwork> {
  const model = graphInForm(graph, form);
  const zeros = new Map<number, Uint8Array>();
  const zerosOf = (bytes: number): Uint8Array => {
    const known = zeros.get(bytes) ?? new Uint8Array(bytes);
    zeros.set(bytes, known);
    return known;
  };
  const weights: Weights = new Map(expectedWeights(model).map(({ name, type, shape }) => [name, zerosOf(BYTES_PER_ELEMENT[type] * sizeOf(shape))]));
  const { gpu, take } = countingGpu(fbankFlopsPerFrame(manifest.fbank, manifest.sampleRate));
  const network = await GpuNetwork.open(gpu, { model, weights, manifest, filterbank: manifest });
  return { network, frontEnd: cpuFrontEnd(manifest), take, uploadedBytes: take().bytesUp };
}

/** Work of a mode, with a state that is full. */
export interface ModeWork {
  readonly mode: StreamMode;
  readonly chunkSeconds: number;
  /** The greatest number of dispatches of a chunk, with its mel frames and their stacking. */
  readonly dispatchesPerChunk: number;
  readonly perAudioSecond: GpuWork;
}

export interface CountOptions {
  readonly settings: StreamingSettings;
  readonly mode: StreamMode;
  /** Duration of an encoder frame. */
  readonly frameSeconds: number;
  /** Audio until the state is full, which is not counted, and then the counted audio. Both are rounded up to whole chunks. */
  readonly warmupSeconds: number;
  readonly countedSeconds: number;
}

/** Counts the chunks of a mode. All samples are equal, because the work does not depend on their values. */
export async function countMode({ network, frontEnd, take }: Omit<CountedNetwork, 'uploadedBytes'>, options: CountOptions): Promise<ModeWork> {
  const { settings, mode, frameSeconds, warmupSeconds, countedSeconds } = options;
  const chunkSeconds = modeSizes(settings, mode).chunkFrames * frameSeconds;
  const [numWarmup, numCounted] = [warmupSeconds, countedSeconds].map((seconds) => Math.ceil(seconds / chunkSeconds)) as [number, number];
  const chunks: GpuWork[] = [];
  const stream = new SpeakerStream('samples', { network, settings, mode, frontEnd, onStep: () => void chunks.push(take()) });
  take();
  // Each block completes a chunk.
  for (const numSamples of blockLengths(settings, mode, frontEnd, Infinity)) {
    await stream.push(new Float32Array(numSamples).fill(0.1));
    if (chunks.length === numWarmup + numCounted) break;
  }
  const counted = chunks.slice(numWarmup);
  const perSecond = (key: keyof GpuWork): number => counted.reduce((sum, work) => sum + work[key], 0) / (counted.length * chunkSeconds);
  return {
    mode,
    chunkSeconds,
    dispatchesPerChunk: Math.max(...counted.map(({ dispatches }) => dispatches)),
    perAudioSecond: {
      flops: perSecond('flops'),
      bytes: perSecond('bytes'),
      dispatches: perSecond('dispatches'),
      submits: perSecond('submits'),
      bytesUp: perSecond('bytesUp'),
      bytesBack: perSecond('bytesBack'),
    },
  };
}
