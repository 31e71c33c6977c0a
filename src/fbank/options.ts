import type { FbankFacts } from '../store/manifest';

/**
 * Options of the filterbank on the CPU: those of a model, and window functions that no shipped model was trained with
 * but that other exports take by mistake.
 */
export interface FbankOptions extends Omit<FbankFacts, 'windowType'> {
  readonly windowType: FbankFacts['windowType'] | 'hann' | 'rectangular';
}

/** Sizes that follow from the options, in samples. */
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

/** Frames that fit wholly inside `numSamples` (Kaldi's snip edges): the rest at the end is not used. */
export function countFrames(numSamples: number, { frameSamples, hopSamples }: FbankGeometry): number {
  return numSamples < frameSamples ? 0 : 1 + Math.floor((numSamples - frameSamples) / hopSamples);
}

/**
 * The window function, axes (sample). Matches `torchaudio.compliance.kaldi._feature_window_function`:
 * all are symmetric (not periodic); povey is a Hann window to the power 0.85.
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

/** Triangular mel filters, each with the FFT bins where it is above zero. */
export interface MelFilter {
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
