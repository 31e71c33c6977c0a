import { storageBuffer } from '../gpu/buffers';
import { fbankGeometry } from '../features/fbank';
import { GpuFbank } from '../features/gpuFbank';
import type { DiarizationManifest } from '../store/diarizationManifest';
import type { SampleBatch } from './network';

/** Facts of the filterbank of a model. */
export type FbankFacts = Pick<DiarizationManifest, 'fbank' | 'sampleRate'>;

/**
 * Computes the mel frames of a batch of samples on the GPU, for a network that reads them there. The same frames as those of
 * `cpuFrontEnd`, in float32.
 */
export class GpuMelFrames {
  private samples: GPUBuffer | null = null;

  private constructor(
    private readonly device: GPUDevice,
    private readonly fbank: GpuFbank,
    private readonly hopSamples: number,
  ) {}

  /** @throws VoxlaneError `model-invalid` for frames of another FFT size than 512; `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice, { fbank: facts, sampleRate }: FbankFacts): Promise<GpuMelFrames> {
    const { hopSamples } = fbankGeometry(facts, sampleRate);
    return new GpuMelFrames(device, await GpuFbank.create(device, facts, sampleRate), hopSamples);
  }

  /** Number of frames before the first one of the batch that {@link encode} writes too. */
  framesBefore({ centerSamples }: SampleBatch): number {
    return Math.ceil(centerSamples / this.hopSamples);
  }

  /**
   * Uploads the samples and records their filterbank.
   *
   * The kernel centers a frame at each hop from the first sample, so zeros before the samples move the first frame of the batch to
   * a whole number of hops. Frames before it are computed too, and not used.
   *
   * @param out written: axes (frame, mel), {@link framesBefore} frames before those of the batch
   */
  encode(encoder: GPUCommandEncoder, batch: SampleBatch, out: GPUBuffer): void {
    const { samples, centerSamples, numFrames } = batch;
    const before = this.framesBefore(batch);
    const numZeros = before * this.hopSamples - centerSamples;
    // No more frames than the batch has, and all samples of its last one.
    const padded = new Float32Array(Math.max(numZeros + samples.length, (before + numFrames) * this.hopSamples));
    padded.set(samples, numZeros);
    if (!this.samples || this.samples.size < padded.byteLength) {
      this.samples?.destroy();
      this.samples = storageBuffer(this.device, 'diarization samples', padded.length);
    }
    this.device.queue.writeBuffer(this.samples, 0, padded);
    this.fbank.encode(encoder, this.samples, 1, padded.length, out);
  }

  /** Frees the buffers kept between batches. */
  forgetBuffers(): void {
    this.samples?.destroy();
    this.samples = null;
    this.fbank.forgetBuffers();
  }

  /** Frees the GPU memory. */
  destroy(): void {
    this.forgetBuffers();
    this.fbank.destroy();
  }
}
