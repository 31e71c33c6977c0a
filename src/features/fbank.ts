import type { FbankSpec } from '../store/manifest';

/**
 * Options of the CPU filterbank: those of a model, and window functions that no bundled model uses but that other
 * exports use by mistake.
 */
export interface FbankOptions extends Omit<FbankSpec, 'windowType'> {
  readonly windowType: FbankSpec['windowType'] | 'hann' | 'rectangular';
}

/** Sizes derived from the options, in samples. */
export interface FbankGeometry {
  readonly frameSamples: number;
  readonly hopSamples: number;
  /** FFT size: the frame length rounded up to a power of two. */
  readonly fftSize: number;
}

/** Frame, hop and FFT size of `facts` at `sampleRate` hertz. */
export function fbankGeometry(facts: FbankOptions, sampleRate: number): FbankGeometry {
  const frameSamples = Math.trunc((sampleRate * facts.frameLengthMs) / 1000);
  return {
    frameSamples,
    hopSamples: Math.trunc((sampleRate * facts.frameShiftMs) / 1000),
    fftSize: 2 ** Math.ceil(Math.log2(frameSamples)),
  };
}

/** Number of frames that lie completely inside `numSamples` (Kaldi's snip edges). The remainder is not used. */
export function countFrames(numSamples: number, { frameSamples, hopSamples }: FbankGeometry): number {
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

/** A triangular mel filter, with the FFT bins where it is positive. */
interface MelFilter {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

const melOf = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);

/**
 * Kaldi's mel filters: triangles of equal width on the mel scale, over the bins below Nyquist.
 * Matches `torchaudio.compliance.kaldi.get_mel_banks` without vocal-tract warping.
 */
export function melFilters(facts: FbankOptions, sampleRate: number, fftSize: number): MelFilter[] {
  const nyquist = sampleRate / 2;
  const high = facts.highFrequencyHz > 0 ? facts.highFrequencyHz : nyquist + facts.highFrequencyHz;
  const lowMel = melOf(facts.lowFrequencyHz);
  const step = (melOf(high) - lowMel) / (facts.numMelBins + 1);
  const melOfBin = Float64Array.from({ length: fftSize / 2 }, (_, bin) => melOf((bin * sampleRate) / fftSize));
  return Array.from({ length: facts.numMelBins }, (_, index) => {
    const left = lowMel + index * step;
    const center = left + step;
    const right = center + step;
    const weights = melOfBin.map((mel) =>
      Math.max(0, Math.min((mel - left) / (center - left), (right - mel) / (right - center))),
    );
    const firstBin = Math.max(0, weights.findIndex((weight) => weight > 0));
    const lastBin = weights.findLastIndex((weight) => weight > 0);
    return { firstBin, weights: weights.slice(firstBin, lastBin + 1) };
  });
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
 * Kaldi filterbank on the CPU, with float64 arithmetic. It is the reference for the GPU, and the implementation for
 * WASM.
 *
 * Matches `torchaudio.compliance.kaldi.fbank` (power spectrum, no energy, no dither): per frame, subtract the mean,
 * pre-emphasis with the first sample repeated, window, zero-padded FFT, mel filters, logarithm. The mean over frames
 * is NOT subtracted here, because it covers only a speaker's frames.
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

  /** Number of frames of `numSamples` samples. */
  countFrames(numSamples: number): number {
    return countFrames(numSamples, this.geometry);
  }

  /**
   * @param samples axes (sample), nominally in [-1, 1]; fewer samples than one frame return no features
   * @param wanted axes (frame), 0 or 1: features of the other frames are 0; absent: all are computed
   */
  compute(samples: Float32Array, wanted?: Uint8Array): Features {
    const { numMelBins } = this.facts;
    const numFrames = this.countFrames(samples.length);
    const data = new Float32Array(numFrames * numMelBins);
    for (let index = 0; index < numFrames; index++) {
      if (wanted && !wanted[index]) continue;
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

  /** Writes the conditioned, windowed frame that starts at `start` to `this.frame`. */
  private loadFrame(samples: Float32Array, start: number): void {
    const { frame, facts, window } = this;
    const { frameSamples } = this.geometry;
    let mean = 0;
    for (let i = 0; i < frameSamples; i++) {
      frame[i] = samples[start + i]! * facts.sampleScale;
      mean += frame[i]!;
    }
    mean = facts.removeDcOffset ? mean / frameSamples : 0;
    // Backward, so the previous sample is still unfiltered. The first sample is its own predecessor.
    for (let i = frameSamples - 1; i >= 0; i--) {
      const before = frame[Math.max(i - 1, 0)]! - mean;
      frame[i] = (frame[i]! - mean - facts.preemphasis * before) * window[i]!;
    }
  }
}
