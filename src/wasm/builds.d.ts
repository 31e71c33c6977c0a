/** The builds of src/wasm/assembly as bytes, which scripts/kernelsPlugin.ts makes. */
declare module 'virtual:kernels/relaxed' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module 'virtual:kernels/plain' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
