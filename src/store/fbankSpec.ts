import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));

/** Options of every filterbank. */
const common = {
  numMelBins: count,
  frameLengthMs: v.number(),
  frameShiftMs: v.number(),
  preemphasis: v.number(),
  lowFrequencyHz: v.number(),
  /** 0 is the Nyquist frequency; negative is an offset from it. */
  highFrequencyHz: v.number(),
  /** Noise would make results of the same file differ. */
  dither: v.literal(0),
  /** Factor on samples in [-1, 1] before framing: 1, or 32768 for models trained on 16-bit integers. */
  sampleScale: v.number(),
};

/** Options of the Kaldi filterbank, named after `torchaudio.compliance.kaldi.fbank`. */
export const fbankSchema = v.object({
  ...common,
  windowType: v.picklist(['povey', 'hamming']),
  removeDcOffset: v.boolean(),
  /** Only whole frames are used. Kaldi's alternative, mirroring the edges, is not implemented. */
  snipEdges: v.literal(true),
  /**
   * Subtracts the mean over the used frames from each mel bin. With statistics pooling, it is the mean over all
   * frames of a window.
   */
  subtractMean: v.boolean(),
});

/**
 * Options of a filterbank with centered frames, as `NemotronAsrStreamingFeatureExtractor` of transformers computes it.
 */
export const centeredFbankSchema = v.object({
  ...common,
  /** A window that is 0 at its first sample: the sample before it then does not matter for the pre-emphasis. */
  windowType: v.literal('hann'),
  removeDcOffset: v.literal(false),
  /** Frame `f` is centered at `f` times the frame shift. Frames at the edges are padded. */
  snipEdges: v.literal(false),
  /** Values beyond the edges, after the pre-emphasis. */
  padding: v.literal('zeros'),
  /** Mel scale of Slaney's Auditory Toolbox. The filters have equal areas. */
  melScale: v.literal('slaney'),
  /** Added to the power before the logarithm. */
  logOffset: v.pipe(v.number(), v.gtValue(0)),
  subtractMean: v.literal(false),
});

export type FbankSpec = v.InferOutput<typeof fbankSchema>;
export type CenteredFbankSpec = v.InferOutput<typeof centeredFbankSchema>;
