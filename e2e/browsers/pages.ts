/** Addresses of the built pages, relative to the server address. */
export const PAGES = {
  app: 'index.html',
  compare: 'compare.html',
  /** Test page with the library as `globalThis.voxlane` and a file input. */
  engine: 'cli/engine.html',
  /** Test page with the GPU kernels as `globalThis.voxlaneKernels`. */
  kernels: 'test/kernels.html',
  /** Test page that defines `<voxlane-diarizer>`. */
  widget: 'test/widget.html',
} as const;
