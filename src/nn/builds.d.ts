/** The builds of src/nn/assembly as bytes, created by scripts/kernelsPlugin.ts. */
declare module 'virtual:kernels/relaxed' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module 'virtual:kernels/plain' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The resampler's module as bytes, which scripts/resamplerPlugin.ts reads from its package. */
declare module 'virtual:wasm/speex-resampler' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
