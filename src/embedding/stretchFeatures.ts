import { Fbank } from '../fbank/fbank';
import { GpuFbank } from '../fbank/gpuFbank';
import type { GpuContext } from '../gpu/context';
import { readBack } from '../gpu/readback';
import type { FbankFacts } from '../store/manifest';
import { GpuGather } from './gpuGather';
import { EVERY_FRAME, maskedFeatures } from './mask';

/**
 * All frames of a stretch as the embedding model's input, where one person speaks throughout.
 *
 * @param samples axes (sample), float32 in [-1, 1]
 * @returns axes (frame, mel), the mean over frames subtracted where the model wants it; empty for less than a frame
 */
export type StretchFeatures = (samples: Float32Array) => Promise<Float32Array>;

/** By the plain filterbank. */
export function cpuStretchFeatures(facts: FbankFacts, sampleRate: number): StretchFeatures {
  const fbank = new Fbank(facts, sampleRate);
  return (samples) => Promise.resolve(maskedFeatures(fbank.compute(samples), EVERY_FRAME, facts.subtractMean));
}

/**
 * By the kernels that the GPU's embedder uses.
 *
 * @throws VoxlaneError `backend-failed` where a kernel does not compile
 */
export async function gpuStretchFeatures(
  gpu: GpuContext,
  facts: FbankFacts,
  sampleRate: number,
): Promise<StretchFeatures> {
  const { device } = gpu;
  const fbank = await GpuFbank.create(device, facts, sampleRate);
  const gather = await GpuGather.create(device, facts.subtractMean);
  return (samples) =>
    gpu.guard(async () => {
      const features = fbank.compute(samples, 1);
      const gathered = gather.gather(features, 0, EVERY_FRAME);
      try {
        return gathered ? await readBack(device, gathered.buffer) : new Float32Array(0);
      } finally {
        features.buffer.destroy();
        gathered?.buffer.destroy();
      }
    });
}
