/** Triangular filters that sum the power of FFT bins into mel bins. */

/** A triangular mel filter, with the FFT bins where it is positive. */
export interface MelFilter {
  readonly firstBin: number;
  /** Axes (bin). Empty for a filter between two bins. */
  readonly weights: Float64Array;
}

/** Frequencies of the filters. */
export interface MelRange {
  readonly numMelBins: number;
  /** In hertz. */
  readonly lowFrequencyHz: number;
  /** 0 is the Nyquist frequency; negative is an offset from it. */
  readonly highFrequencyHz: number;
}

/** In hertz. */
const highOf = ({ highFrequencyHz }: MelRange, sampleRate: number): number =>
  highFrequencyHz > 0 ? highFrequencyHz : sampleRate / 2 + highFrequencyHz;

const kaldiMel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);

/**
 * Kaldi's mel filters: triangles of equal width on the mel scale, over the bins below Nyquist.
 * Matches `torchaudio.compliance.kaldi.get_mel_banks` without vocal-tract warping.
 */
export function kaldiFilters(range: MelRange, sampleRate: number, fftSize: number): MelFilter[] {
  const lowMel = kaldiMel(range.lowFrequencyHz);
  const step = (kaldiMel(highOf(range, sampleRate)) - lowMel) / (range.numMelBins + 1);
  const melOfBin = Float64Array.from({ length: fftSize / 2 }, (_, bin) => kaldiMel((bin * sampleRate) / fftSize));
  return Array.from({ length: range.numMelBins }, (_, index) => {
    const left = lowMel + index * step;
    const center = left + step;
    const right = center + step;
    return filterOf(melOfBin.map((mel) => Math.min((mel - left) / (center - left), (right - mel) / (right - center))));
  });
}

/** Below this frequency, Slaney's scale is linear. */
const LINEAR_HERTZ = 1000;
const HERTZ_PER_MEL = 200 / 3;
const LINEAR_MEL = LINEAR_HERTZ / HERTZ_PER_MEL;
/** Above it, 27 mel are a factor of 6.4. */
const MEL_PER_LOG = 27 / Math.log(6.4);

const slaneyMel = (hertz: number): number =>
  hertz < LINEAR_HERTZ ? hertz / HERTZ_PER_MEL : LINEAR_MEL + Math.log(hertz / LINEAR_HERTZ) * MEL_PER_LOG;

const slaneyHertz = (mel: number): number =>
  mel < LINEAR_MEL ? mel * HERTZ_PER_MEL : LINEAR_HERTZ * Math.exp((mel - LINEAR_MEL) / MEL_PER_LOG);

/**
 * Slaney's mel filters: triangles in hertz with edges at equal distances on the mel scale, each divided by half of its
 * width, over the bins below Nyquist. The weight of the Nyquist bin is 0 in every filter that ends there.
 * Matches `transformers.audio_utils.mel_filter_bank` with `norm="slaney", mel_scale="slaney"`.
 */
export function slaneyFilters(range: MelRange, sampleRate: number, fftSize: number): MelFilter[] {
  const lowMel = slaneyMel(range.lowFrequencyHz);
  const step = (slaneyMel(highOf(range, sampleRate)) - lowMel) / (range.numMelBins + 1);
  const edges = Float64Array.from({ length: range.numMelBins + 2 }, (_, index) => slaneyHertz(lowMel + index * step));
  const hertzOfBin = Float64Array.from({ length: fftSize / 2 }, (_, bin) => (bin * sampleRate) / fftSize);
  return Array.from({ length: range.numMelBins }, (_, index) => {
    const left = edges[index]!;
    const center = edges[index + 1]!;
    const right = edges[index + 2]!;
    const area = 2 / (right - left);
    return filterOf(hertzOfBin.map((hertz) => area * Math.min((hertz - left) / (center - left), (right - hertz) / (right - center))));
  });
}

/** @param values axes (bin); negative outside the triangle */
function filterOf(values: Float64Array): MelFilter {
  const firstBin = Math.max(0, values.findIndex((value) => value > 0));
  const lastBin = values.findLastIndex((value) => value > 0);
  return { firstBin, weights: values.slice(firstBin, lastBin + 1) };
}
