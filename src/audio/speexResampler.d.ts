/** What is used of Xiph's `speex_resampler.h`, as Emscripten exports it. Pointers are byte offsets into the heap. */
declare module '@echogarden/speex-resampler-wasm/simd' {
  export interface SpeexModule {
    /** Views of the heap. They are replaced when the heap grows, which any allocation may cause. */
    readonly HEAPF32: Float32Array<ArrayBuffer>;
    readonly HEAPU32: Uint32Array<ArrayBuffer>;
    /** @returns 0 where there is no memory left */
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    /** @returns the state; 0 where it cannot be made, for the reason that is written to `error` (an int32) */
    _speex_resampler_init(channels: number, sourceRate: number, targetRate: number, quality: number, error: number): number;
    _speex_resampler_destroy(state: number): void;
    /** Lets the output start at the first sample's own time, not the filter's delay before it. */
    _speex_resampler_skip_zeros(state: number): void;
    /** The filter's delay in source samples: half of its length. */
    _speex_resampler_get_input_latency(state: number): number;
    /**
     * @param inputLength a uint32: samples at `input`; replaced by how many of them were taken
     * @param outputLength a uint32: room at `output`, in samples; replaced by how many were written
     * @returns an error code, 0 for none
     */
    _speex_resampler_process_float(
      state: number,
      channel: number,
      input: number,
      inputLength: number,
      output: number,
      outputLength: number,
    ): number;
  }

  /** @param options.wasmBinary the module, which is fetched from beside the script where it is not given */
  export default function createSpeexModule(options: { readonly wasmBinary: Uint8Array | undefined }): Promise<SpeexModule>;
}
