import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { viteStaticCopy } from 'vite-plugin-static-copy';
import { coverage } from './scripts/coverage/plugin.ts';
import { kernels } from './scripts/kernelsPlugin.ts';
import { offline } from './scripts/offlinePlugin.ts';
import { policy } from './scripts/policyPlugin.ts';
import { wasm } from './scripts/wasmPlugin.ts';
import { uncompressedModels } from './scripts/uncompressedModelsPlugin.ts';
import { POLICY_HEADER } from './src/ui-kit/privacy/policy.ts';

/** Without these headers, the page has no SharedArrayBuffer, and WASM runs on one thread. */
const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Headers for every file. The service worker adds them if the server does not send them. */
const HEADERS = { ...ISOLATION_HEADERS, 'Content-Security-Policy': POLICY_HEADER };

/** Endpoint for reports of policy violations, only for tests. */
const { VOXLANE_POLICY_REPORTS: REPORTS } = process.env;
const PREVIEW_HEADERS = {
  ...HEADERS,
  'Content-Security-Policy': REPORTS ? `${POLICY_HEADER}; report-uri ${REPORTS}` : POLICY_HEADER,
};

/** Only the two runtime builds used by src/ort: CPU and WebGPU (asyncify). */
const RUNTIME_FILES = '{ort-wasm-simd-threaded{,.asyncify}.{mjs,wasm},ort.{wasm,webgpu}.min.mjs}';

export default defineConfig({
  base: './',
  // Several pages without client routing: a missing file must return 404, not the start page with status 200.
  appType: 'mpa',
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: PREVIEW_HEADERS, port: 4173 },
  worker: { format: 'es', plugins: () => [coverage(), kernels(), wasm()] },
  build: {
    target: 'es2022',
    // For readable stack traces in production. Only developer tools fetch the map.
    sourcemap: true,
    // The policy of the pages forbids data: URLs.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ['index.html', 'compare.html'].map((page) => resolve(import.meta.dirname, page)),
    },
  },
  plugins: [
    coverage(),
    kernels(),
    wasm(),
    policy(),
    viteStaticCopy({
      structured: true,
      targets: [
        { src: 'models/*/{manifest.json,model.onnx,plda.bin}', dest: '' },
        { src: `node_modules/onnxruntime-web/dist/${RUNTIME_FILES}`, dest: 'ort', rename: { stripBase: 3 } },
      ],
    }),
    offline(HEADERS),
    uncompressedModels(),
  ],
});
