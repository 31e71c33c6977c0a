import type { CenteredFbankSpec, FbankSpec } from '../store/fbankSpec';
import { kaldiFilters, type MelFilter, slaneyFilters } from './melFilters';

/**
 * Options of the CPU filterbank: those of a model, and window functions that no bundled model uses but that other
 * exports use by mistake.
 */
export interface FbankOptions extends Omit<FbankSpec, 'windowType'> {
  readonly windowType: FbankSpec['windowType'] | 'hann' | 'rectangular';
}

/** Options of a filterbank with whole or with centered frames. */
export type AnyFbankOptions = FbankOptions | CenteredFbankSpec;

/** Sizes derived from the options, in samples. */
export interface FbankGeometry {
  readonly frameSamples: number;
  readonly hopSamples: number;
  /** Samples of a frame before its position, which is a multiple of the hop: half of a centered frame, else 0. */
  readonly leadSamples: number;
  /** FFT size: the frame length rounded up to a power of two. */
  readonly fftSize: number;
}

/**
 * Sizes of frames, hops and the FFT.
 *
 * @param facts with times in milliseconds
 * @param sampleRate in hertz
 * @returns all sizes in samples
 */
export function fbankGeometry(facts: AnyFbankOptions, sampleRate: number): FbankGeometry {
  const frameSamples = Math.trunc((sampleRate * facts.frameLengthMs) / 1000);
  return {
    frameSamples,
    leadSamples: facts.snipEdges ? 0 : Math.floor(frameSamples / 2),
    hopSamples: Math.trunc((sampleRate * facts.frameShiftMs) / 1000),
    fftSize: 2 ** Math.ceil(Math.log2(frameSamples)),
  };
}

/**
 * Number of frames of `numSamples`: those completely inside (Kaldi's snip edges), or those whose whole hop is inside if
 * frames are centered. The remainder is not used.
 */
export function countFrames(numSamples: number, { frameSamples, hopSamples, leadSamples }: FbankGeometry): number {
  if (leadSamples > 0) return Math.floor(numSamples / hopSamples);
  return numSamples < frameSamples ? 0 : 1 + Math.floor((numSamples - frameSamples) / hopSamples);
}

/**
 * The window function, axes (sample). Matches `torchaudio.compliance.kaldi._feature_window_function`: all windows are
 * symmetric (not periodic); povey is a Hann window to the power of 0.85.
 */
export function windowFunction(type: FbankOptions['windowType'], length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    const cosine = Math.cos((2 * Math.PI * i) / (length - 1));
    switch (type) {
      case 'povey':
        return (0.5 - 0.5 * cosine) ** 0.85;
      case 'hamming':
        return 0.54 - 0.46 * cosine;
      case 'hann':
        return 0.5 - 0.5 * cosine;
      case 'rectangular':
        return 1;
    }
  });
}

/**
 * Filters of the mel scale that the options name.
 *
 * @param sampleRate in hertz
 * @param fftSize in samples
 * @returns axes (mel), in the order of their frequencies
 */
export function melFilters(facts: AnyFbankOptions, sampleRate: number, fftSize: number): MelFilter[] {
  return facts.snipEdges ? kaldiFilters(facts, sampleRate, fftSize) : slaneyFilters(facts, sampleRate, fftSize);
}

/**
 * The FFT's factors exp(-2πik / `size`) for k in 0 … `size` - 1: real parts in `cosines`, imaginary parts in `sines`.
 */
export function twiddles(size: number): { cosines: Float64Array; sines: Float64Array } {
  return {
    cosines: Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size)),
    sines: Float64Array.from({ length: size }, (_, k) => -Math.sin((2 * Math.PI * k) / size)),
  };
}

/**
 * Power spectrum of a real signal by an in-place radix-2 complex FFT, in float64.
 *
 * Implemented here instead of in a library because it is the reference for the GPU kernel: both use the same
 * precomputed twiddles.
 */
class PowerSpectrum {
  private readonly real: Float64Array;
  private readonly imaginary: Float64Array;
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  private readonly reversed: Uint32Array;

  /** @param size number of points, a power of two */
  constructor(readonly size: number) {
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    ({ cosines: this.cosines, sines: this.sines } = twiddles(size));
    const bits = Math.log2(size);
    this.reversed = Uint32Array.from({ length: size }, (_, index) => {
      let result = 0;
      for (let bit = 0; bit < bits; bit++) result |= ((index >> bit) & 1) << (bits - 1 - bit);
      return result;
    });
  }

  /**
   * |FFT|² of `signal`, for the bins below the Nyquist frequency.
   *
   * @param signal axes (sample), `size` values
   * @param power written: axes (bin), `size / 2` values
   */
  compute(signal: Float64Array, power: Float64Array): void {
    const { size, real, imaginary, cosines, sines, reversed } = this;
    for (let i = 0; i < size; i++) real[i] = signal[reversed[i]!]!;
    imaginary.fill(0);
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const low = start + k;
          const high = low + half;
          const c = cosines[k * stride]!;
          const s = sines[k * stride]!;
          const re = real[high]! * c - imaginary[high]! * s;
          const im = real[high]! * s + imaginary[high]! * c;
          real[high] = real[low]! - re;
          imaginary[high] = imaginary[low]! - im;
          real[low] = real[low]! + re;
          imaginary[low] = imaginary[low]! + im;
        }
      }
    }
    for (let bin = 0; bin < size / 2; bin++) {
      power[bin] = real[bin]! * real[bin]! + imaginary[bin]! * imaginary[bin]!;
    }
  }
}

/** Kaldi's floor below the logarithm: the float32 machine epsilon. */
const LOG_FLOOR = 2 ** -23;

/** Mel filterbank features. `data` has axes (frame, mel), float32, natural logarithm of power. */
export interface Features {
  readonly data: Float32Array;
  readonly numFrames: number;
  readonly numMelBins: number;
}

/**
 * Filterbank on the CPU, with float64 arithmetic. It is the reference for the GPU, and the implementation for WASM.
 *
 * Whole frames match `torchaudio.compliance.kaldi.fbank` (power spectrum, no energy, no dither): per frame, subtract the
 * mean, pre-emphasis with the first sample repeated, window, zero-padded FFT, mel filters, logarithm. The mean over frames
 * is NOT subtracted here, because it covers only a speaker's frames.
 *
 * Centered frames match `NemotronAsrStreamingFeatureExtractor` of transformers: pre-emphasis of the recording, zeros
 * beyond its edges, window, zero-padded FFT, mel filters, logarithm. Its additional last frame, which is zero and masked,
 * is not computed. The class centers the window in the FFT. Here, it is at the start, which changes phases only.
 */
export class Fbank {
  private readonly geometry;
  private readonly window;
  private readonly filters;
  private readonly spectrum;
  private readonly frame: Float64Array;
  private readonly power: Float64Array;

  constructor(
    private readonly facts: AnyFbankOptions,
    sampleRate: number,
  ) {
    this.geometry = fbankGeometry(facts, sampleRate);
    this.window = windowFunction(facts.windowType, this.geometry.frameSamples);
    this.filters = melFilters(facts, sampleRate, this.geometry.fftSize);
    this.spectrum = new PowerSpectrum(this.geometry.fftSize);
    this.frame = new Float64Array(this.geometry.fftSize);
    this.power = new Float64Array(this.geometry.fftSize / 2);
  }

  /** Number of frames of `numSamples` samples. */
  countFrames(numSamples: number): number {
    return countFrames(numSamples, this.geometry);
  }

  /**
   * @param samples axes (sample), nominally in [-1, 1]; fewer samples than one frame return no features
   * @param wanted axes (frame), 0 or 1: features of the other frames are 0; absent: all are computed
   */
  compute(samples: Float32Array, wanted?: Uint8Array): Features {
    return this.computeFrom(samples, 0, this.countFrames(samples.length), wanted);
  }

  /**
   * Computes consecutive frames at any position. Each frame has the same bits as in {@link compute} if `samples` has all
   * samples of the recording in the frame and, for centered frames, beside it.
   *
   * @param samples axes (sample), a part of a recording
   * @param position of the first frame in `samples`: its first sample or, if frames are centered, its center
   * @param wanted as in {@link compute}
   */
  computeFrom(samples: Float32Array, position: number, numFrames: number, wanted?: Uint8Array): Features {
    const { facts } = this;
    const { numMelBins } = facts;
    const { hopSamples, leadSamples } = this.geometry;
    const data = new Float32Array(numFrames * numMelBins);
    for (let index = 0; index < numFrames; index++) {
      if (wanted && !wanted[index]) continue;
      const start = position + index * hopSamples - leadSamples;
      if (facts.snipEdges) this.loadFrame(samples, start, facts.removeDcOffset);
      else this.loadPaddedFrame(samples, start);
      this.spectrum.compute(this.frame, this.power);
      for (let mel = 0; mel < numMelBins; mel++) {
        const { firstBin, weights } = this.filters[mel]!;
        let energy = 0;
        for (let k = 0; k < weights.length; k++) energy += weights[k]! * this.power[firstBin + k]!;
        data[index * numMelBins + mel] = Math.log(facts.snipEdges ? Math.max(energy, LOG_FLOOR) : energy + facts.logOffset);
      }
    }
    return { data, numFrames, numMelBins };
  }

  /** Writes the conditioned, windowed frame that starts at `start` to `this.frame`. */
  private loadFrame(samples: Float32Array, start: number, removeDcOffset: boolean): void {
    const { frame, facts, window } = this;
    const { frameSamples } = this.geometry;
    let mean = 0;
    for (let i = 0; i < frameSamples; i++) {
      frame[i] = samples[start + i]! * facts.sampleScale;
      mean += frame[i]!;
    }
    mean = removeDcOffset ? mean / frameSamples : 0;
    // Backward, so the previous sample is still unfiltered. The first sample is its own predecessor.
    for (let i = frameSamples - 1; i >= 0; i--) {
      const before = frame[Math.max(i - 1, 0)]! - mean;
      frame[i] = (frame[i]! - mean - facts.preemphasis * before) * window[i]!;
    }
  }

  /** Like {@link loadFrame}, for a frame that may reach beyond the samples: `start` may be negative. */
  private loadPaddedFrame(samples: Float32Array, start: number): void {
    const { frame, facts, window } = this;
    const { frameSamples } = this.geometry;
    let before = 0;
    for (let i = 0; i < frameSamples; i++) {
      const at = start + i;
      // Zeros after the pre-emphasis: the first one is not reduced by the last sample.
      const isInside = at >= 0 && at < samples.length;
      const value = isInside ? samples[at]! * facts.sampleScale : 0;
      frame[i] = isInside ? (value - facts.preemphasis * before) * window[i]! : 0;
      before = value;
    }
  }
}
