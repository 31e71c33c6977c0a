/** The used subset of sherpa-onnx's WASM build for Node: `sherpa-onnx-speaker-diarization.js` and `index.js` of the package. */
declare module 'sherpa-onnx' {
  export interface OfflineSpeakerDiarizationConfig {
    readonly segmentation: {
      readonly pyannote: {
        readonly model: string;
        /** If absent, the package passes 0, which the library treats as one sample. */
        readonly windowShiftRatio: number;
      };
      readonly numThreads?: number;
    };
    readonly embedding: { readonly model: string; readonly numThreads?: number };
    readonly clustering: {
      /** -1 for automatic, based on the threshold. */
      readonly numClusters: number;
      readonly threshold: number;
    };
    /** Shorter turns are removed, in seconds. 0 selects the package's default. */
    readonly minDurationOn: number;
    /** Shorter gaps between turns of a speaker are closed, in seconds. 0 selects the package's default. */
    readonly minDurationOff: number;
  }

  export interface OfflineSpeakerDiarization {
    /** 0 if the models could not be opened. */
    readonly handle: number;
    readonly sampleRate: number;
    /** @param samples mono, in [-1, 1], at {@link sampleRate}. Blocking; times are in seconds. */
    process(samples: Float32Array): { readonly start: number; readonly end: number; readonly speaker: number }[];
    free(): void;
  }

  const sherpaOnnx: {
    readonly version: string;
    createOfflineSpeakerDiarization(config: OfflineSpeakerDiarizationConfig): OfflineSpeakerDiarization;
  };
  export default sherpaOnnx;
}
