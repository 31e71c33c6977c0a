/** Counts the GPU work of Nemotron 3 Diarization: the product's loop and network run on a device that only counts. */
import type { ModelProto } from '../../src/onnx/onnx_pb';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import type { NetworkFacts, Weights } from '../../src/sortformer/graphNetwork';
import { SpeakerStream } from '../../src/sortformer/speakerStream';
import type { StreamMode } from '../../src/store/streamModes';
import { modeSizes, type StreamingSettings } from '../../src/store/streamingSettings';
import { BYTES_PER_ELEMENT } from '../../src/util/elementTypes';
import { sizeOf } from '../../src/util/shape';
import type { WeightsForm } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { graphInForm } from '../../src/weights/graphForm';
import { countingGpu, type CountingGpu, type GpuWork } from './countingDevice';

/** Weights that a network on WebGPU can have. */
export type GpuForm = Exclude<WeightsForm, 'int8'>;

export interface CountedNetwork extends Pick<CountingGpu, 'take'> {
  readonly network: GpuNetwork;
  /** Bytes that are uploaded once: weights and tables. */
  readonly uploadedBytes: number;
}

/**
 * Opens the network on a device that counts. Its weights are zeros, because the work depends on their shapes and types only.
 *
 * @param graph of `parseGraphAlone`
 */
export async function openCounted(graph: ModelProto, manifest: NetworkFacts, form: GpuForm): Promise<CountedNetwork> {
  const model = graphInForm(graph, form);
  const zeros = new Map<number, Uint8Array>();
  const zerosOf = (bytes: number): Uint8Array => {
    const known = zeros.get(bytes) ?? new Uint8Array(bytes);
    zeros.set(bytes, known);
    return known;
  };
  const weights: Weights = new Map(expectedWeights(model).map(({ name, type, shape }) => [name, zerosOf(BYTES_PER_ELEMENT[type] * sizeOf(shape))]));
  const { gpu, take } = countingGpu();
  const network = await GpuNetwork.open(gpu, { model, weights, manifest });
  return { network, take, uploadedBytes: take().bytesUp };
}

/** Work of a mode, with a state that is full. */
export interface ModeWork {
  readonly mode: StreamMode;
  readonly chunkSeconds: number;
  /** The greatest number of dispatches of a chunk, with the stacking of its mel frames. */
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

/** Counts the chunks of a mode. The mel frames are the same in all chunks, because the work does not depend on their values. */
export async function countMode({ network, take }: Pick<CountedNetwork, 'network' | 'take'>, options: CountOptions): Promise<ModeWork> {
  const { settings, mode, frameSeconds, warmupSeconds, countedSeconds } = options;
  const { chunkFrames, lookAheadFrames } = modeSizes(settings, mode);
  const chunkSeconds = chunkFrames * frameSeconds;
  const [numWarmup, numCounted] = [warmupSeconds, countedSeconds].map((seconds) => Math.ceil(seconds / chunkSeconds)) as [number, number];
  const chunks: GpuWork[] = [];
  const stream = new SpeakerStream('melFrames', { network, settings, mode, onStep: () => void chunks.push(take()) });
  const valuesPerFrame = settings.melFramesPerEncoderFrame * network.numMelBins;
  const melFrames = Float32Array.from({ length: chunkFrames * valuesPerFrame }, (_, i) => (i % 8) - 4);
  take();
  await stream.push(melFrames.slice(0, lookAheadFrames * valuesPerFrame));
  for (let chunk = 0; chunk < numWarmup + numCounted; chunk++) await stream.push(melFrames);
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
