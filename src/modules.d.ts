/** The builds of src/nn/assembly as bytes, created by scripts/kernelsPlugin.ts. */
declare module 'virtual:kernels/relaxed' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module 'virtual:kernels/plain' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The resampler's module as bytes, which scripts/wasmPlugin.ts reads from its package. */
declare module 'virtual:wasm/speex-resampler' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The MP3 decoder's module as bytes. scripts/minimp3.ts compiles it from src/audio/minimp3. */
declare module 'virtual:wasm/minimp3' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The package of the large files, which scripts/package/assets.ts makes. */
declare module 'voxlane-assets' {
  import type { FileBases } from './engine/defaultFiles';
  export const files: FileBases;
}

/** The used part of Xiph's `speex_resampler.h`, as Emscripten exports it. Pointers are byte offsets into the heap. */
declare module '@echogarden/speex-resampler-wasm/simd' {
  export interface SpeexModule {
    /** Views of the heap. Any allocation may grow the heap, which replaces them. */
    readonly HEAPF32: Float32Array<ArrayBuffer>;
    readonly HEAPU32: Uint32Array<ArrayBuffer>;
    /** @returns 0 if there is no memory left */
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    /** @returns the state; 0 on failure, with the reason written to `error` (an int32) */
    _speex_resampler_init(channels: number, sourceRate: number, targetRate: number, quality: number, error: number): number;
    _speex_resampler_destroy(state: number): void;
    /** Aligns the output with the first sample by skipping the filter's delay. */
    _speex_resampler_skip_zeros(state: number): void;
    /** The filter's delay in source samples: half its length. */
    _speex_resampler_get_input_latency(state: number): number;
    /**
     * @param inputLength a uint32: samples at `input`; replaced by the number of consumed samples
     * @param outputLength a uint32: capacity of `output` in samples; replaced by the number of written samples
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

  /** @param options.wasmBinary the module; if it is missing, it is fetched from the folder of the script */
  export default function createSpeexModule(options: { readonly wasmBinary: Uint8Array | undefined }): Promise<SpeexModule>;
}

/** An optional package, which has no entry in package.json: see .ci/run. */
declare module '@napi-rs/webcodecs' {
  export const AudioData: typeof globalThis.AudioData;
  export const AudioDecoder: typeof globalThis.AudioDecoder;
  export const EncodedAudioChunk: typeof globalThis.EncodedAudioChunk;
}
