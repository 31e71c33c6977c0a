/** Addresses of the built pages, relative to the server's. */
export const PAGES = {
  app: 'index.html',
  compare: 'compare.html',
  /** Test page with the library as `globalThis.voxlane` and a file input. */
  engine: 'engine.html',
  /** Test page with the GPU kernels as `globalThis.voxlaneKernels`. */
  kernels: 'kernels.html',
  /** Test page that defines `<voxlane-diarizer>`. */
  widget: 'widget.html',
} as const;
