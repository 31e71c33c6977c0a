import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { viteStaticCopy } from 'vite-plugin-static-copy';
import { kernels } from './scripts/kernelsPlugin.ts';

/** Without these two the page gets no SharedArrayBuffer, and WASM runs on one thread. */
const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Only the two builds of the runtime that src/ort opens: CPU, and WebGPU (asyncify). */
const RUNTIME_FILES = 'ort-wasm-simd-threaded{,.asyncify}.{mjs,wasm}';

export default defineConfig({
  base: './',
  // Several pages, no client routing: a missing file must be a 404, not the start page with status 200.
  appType: 'mpa',
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: ISOLATION_HEADERS, port: 4173 },
  resolve: {
    // The runtime's files are served beside the page. Its bundled variant would start its threads from our
    // worker's script.
    conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'development|production'],
  },
  worker: { format: 'es', plugins: () => [kernels()] },
  build: {
    target: 'es2022',
    // Readable stack traces in the field; the map is fetched only by developer tools.
    sourcemap: true,
    rolldownOptions: {
      input: ['index.html', 'compare.html', 'engine.html', 'kernels.html', 'store.html'].map((page) => resolve(import.meta.dirname, page)),
    },
  },
  plugins: [
    kernels(),
    viteStaticCopy({
      structured: true,
      targets: [
        { src: 'models/*/{manifest.json,model.onnx,plda.bin}', dest: '' },
        { src: `node_modules/onnxruntime-web/dist/${RUNTIME_FILES}`, dest: 'ort', rename: { stripBase: 3 } },
      ],
    }),
  ],
});
