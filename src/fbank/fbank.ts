import { PowerSpectrum } from './fft';
import { countFrames, fbankGeometry, melFilters, windowFunction, type FbankOptions } from './options';

/** Kaldi's floor below the logarithm: the float32 machine epsilon. */
const LOG_FLOOR = 2 ** -23;

/** Mel filterbank features. `data` has axes (frame, mel), float32, natural logarithm of power. */
export interface Features {
  readonly data: Float32Array;
  readonly numFrames: number;
  readonly numMelBins: number;
}

/**
 * Kaldi filterbank on the CPU, in float64 inside: the reference for the GPU and the WASM backend's path.
 *
 * Matches `torchaudio.compliance.kaldi.fbank` (power spectrum, no energy, no dither): per frame, mean
 * removed, pre-emphasis with the first sample repeated, window, zero-padded FFT, mel filters, logarithm.
 * The mean over frames is NOT subtracted here, because it is taken over a speaker's frames only.
 */
export class Fbank {
  private readonly geometry;
  private readonly window;
  private readonly filters;
  private readonly spectrum;
  private readonly frame: Float64Array;
  private readonly power: Float64Array;

  constructor(
    private readonly facts: FbankOptions,
    sampleRate: number,
  ) {
    this.geometry = fbankGeometry(facts, sampleRate);
    this.window = windowFunction(facts.windowType, this.geometry.frameSamples);
    this.filters = melFilters(facts, sampleRate, this.geometry.fftSize);
    this.spectrum = new PowerSpectrum(this.geometry.fftSize);
    this.frame = new Float64Array(this.geometry.fftSize);
    this.power = new Float64Array(this.geometry.fftSize / 2);
  }

  /** @param samples axes (sample), nominally in [-1, 1]; fewer than one frame give no features */
  compute(samples: Float32Array): Features {
    const { numMelBins } = this.facts;
    const numFrames = countFrames(samples.length, this.geometry);
    const data = new Float32Array(numFrames * numMelBins);
    for (let index = 0; index < numFrames; index++) {
      this.loadFrame(samples, index * this.geometry.hopSamples);
      this.spectrum.compute(this.frame, this.power);
      for (let mel = 0; mel < numMelBins; mel++) {
        const { firstBin, weights } = this.filters[mel]!;
        let energy = 0;
        for (let k = 0; k < weights.length; k++) energy += weights[k]! * this.power[firstBin + k]!;
        data[index * numMelBins + mel] = Math.log(Math.max(energy, LOG_FLOOR));
      }
    }
    return { data, numFrames, numMelBins };
  }

  /** Puts the conditioned, windowed frame that starts at `start` into `this.frame`. */
  private loadFrame(samples: Float32Array, start: number): void {
    const { frame, facts, window } = this;
    const { frameSamples } = this.geometry;
    let mean = 0;
    for (let i = 0; i < frameSamples; i++) {
      frame[i] = samples[start + i]! * facts.sampleScale;
      mean += frame[i]!;
    }
    mean = facts.removeDcOffset ? mean / frameSamples : 0;
    // From the end, so that the sample before is still the unfiltered one; the first has itself before it.
    for (let i = frameSamples - 1; i >= 0; i--) {
      const before = frame[Math.max(i - 1, 0)]! - mean;
      frame[i] = (frame[i]! - mean - facts.preemphasis * before) * window[i]!;
    }
  }
}
