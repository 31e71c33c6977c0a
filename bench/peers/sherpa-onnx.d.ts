/** What is used of sherpa-onnx's WASM build for Node: `sherpa-onnx-speaker-diarization.js` and `index.js` of the package. */
declare module 'sherpa-onnx' {
  export interface OfflineSpeakerDiarizationConfig {
    readonly segmentation: {
      readonly pyannote: {
        readonly model: string;
        /** Where it is absent the package hands on 0, which the library takes for one sample. */
        readonly windowShiftRatio: number;
      };
      readonly numThreads?: number;
    };
    readonly embedding: { readonly model: string; readonly numThreads?: number };
    readonly clustering: {
      /** -1: as many as the threshold gives. */
      readonly numClusters: number;
      readonly threshold: number;
    };
    /** Shorter turns are left out, in seconds. 0 is taken for the package's own default. */
    readonly minDurationOn: number;
    /** Shorter gaps in a speaker's turn are closed, in seconds. 0 is taken for the package's own default. */
    readonly minDurationOff: number;
  }

  export interface OfflineSpeakerDiarization {
    /** 0 where the models could not be opened. */
    readonly handle: number;
    readonly sampleRate: number;
    /** @param samples mono, in [-1, 1], at {@link sampleRate}. Blocks until it is done; times are in seconds. */
    process(samples: Float32Array): { readonly start: number; readonly end: number; readonly speaker: number }[];
    free(): void;
  }

  const sherpaOnnx: {
    readonly version: string;
    createOfflineSpeakerDiarization(config: OfflineSpeakerDiarizationConfig): OfflineSpeakerDiarization;
  };
  export default sherpaOnnx;
}
