import { VoxlaneError } from '../util/errors';

/** A file beside its manifest, pinned so that a changed byte is found before it is run. */
export interface PinnedFile {
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A named graph input or output. `axes` name what each dimension counts; a number is a fixed size. */
export interface TensorFact {
  readonly name: string;
  readonly dtype: 'float32';
  readonly axes: readonly string[];
  readonly shape: readonly (number | null)[];
}

interface ManifestBase {
  /** Same as the name of the folder. */
  readonly id: string;
  readonly file: PinnedFile;
  /** SPDX identifier. */
  readonly licence: string;
  readonly attribution: string;
  /** The checkpoint that the file was exported from. */
  readonly origin: { readonly package: string; readonly path: string; readonly sha256: string; readonly url: string };
  readonly sampleRate: number;
  readonly input: TensorFact;
  readonly output: TensorFact;
}

/** Facts of a segmentation model: window of audio in, powerset classes per frame out. */
export interface SegmentationManifest extends ManifestBase {
  readonly task: 'segmentation';
  readonly windowSamples: number;
  /** Distance between the starts of two windows. */
  readonly hopSamples: number;
  /** Frames per window. */
  readonly numFrames: number;
  /** Of one frame: where it begins in the window, how much it sees, how far to the next one. */
  readonly receptiveField: {
    readonly startSamples: number;
    readonly durationSamples: number;
    readonly stepSamples: number;
  };
  readonly powerset: {
    /** Local speakers of one window. */
    readonly numClasses: number;
    /** Most speakers at the same time. */
    readonly maxSetSize: number;
    /** Axes (powerset class, local speaker), 0 or 1. */
    readonly mapping: readonly (readonly number[])[];
  };
}

/** Options of the Kaldi filterbank, named after `torchaudio.compliance.kaldi.fbank`. */
export interface FbankFacts {
  readonly numMelBins: number;
  readonly frameLengthMs: number;
  readonly frameShiftMs: number;
  readonly windowType: 'povey' | 'hamming';
  readonly preemphasis: number;
  readonly removeDcOffset: boolean;
  readonly snipEdges: boolean;
  readonly lowFrequencyHz: number;
  /** 0 is the Nyquist frequency; negative is an offset from it. */
  readonly highFrequencyHz: number;
  readonly dither: number;
  /** Factor on samples in [-1, 1] before framing: 1, or 32768 for models trained on 16-bit integers. */
  readonly sampleScale: number;
  /** The mean over the used frames is subtracted from each mel bin. */
  readonly subtractMean: boolean;
}

/** Facts of a speaker-embedding model: mel frames in, one vector out. */
export interface EmbeddingManifest extends ManifestBase {
  readonly task: 'embedding';
  readonly embeddingSize: number;
  readonly fbank: FbankFacts;
  /** Fewer mel frames than this give no embedding. */
  readonly minFrames: number;
  /** Shortest speech that pyannote's overlap exclusion lets stand alone. */
  readonly minSamples: number;
}

export type ModelManifest = SegmentationManifest | EmbeddingManifest;

void VoxlaneError;
