import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { viteStaticCopy } from 'vite-plugin-static-copy';
import { coverage } from './scripts/coverage/plugin.ts';
import { kernels } from './scripts/kernelsPlugin.ts';
import { offline } from './scripts/offlinePlugin.ts';
import { policy } from './scripts/policyPlugin.ts';
import { resampler } from './scripts/resamplerPlugin.ts';
import { POLICY_HEADER } from './src/ui-kit/privacy/policy.ts';

/** Without these two the page gets no SharedArrayBuffer, and WASM runs on one thread. */
const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** For the server to send with every file; the service worker adds those that it did not. */
const HEADERS = { ...ISOLATION_HEADERS, 'Content-Security-Policy': POLICY_HEADER };

/** Where browsers shall tell what broke the policy: only for tests, which look for such requests. */
const { VOXLANE_POLICY_REPORTS: REPORTS } = process.env;
const PREVIEW_HEADERS = {
  ...HEADERS,
  'Content-Security-Policy': REPORTS ? `${POLICY_HEADER}; report-uri ${REPORTS}` : POLICY_HEADER,
};

/** Only the two builds of the runtime that src/ort opens: CPU, and WebGPU (asyncify). */
const RUNTIME_FILES = '{ort-wasm-simd-threaded{,.asyncify}.{mjs,wasm},ort.{wasm,webgpu}.min.mjs}';

export default defineConfig({
  base: './',
  // Several pages, no client routing: a missing file must be a 404, not the start page with status 200.
  appType: 'mpa',
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: PREVIEW_HEADERS, port: 4173 },
  worker: { format: 'es', plugins: () => [coverage(), kernels(), resampler()] },
  build: {
    target: 'es2022',
    // Readable stack traces in the field; the map is fetched only by developer tools.
    sourcemap: true,
    // The policy of the pages forbids data: addresses.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ['index.html', 'compare.html'].map((page) => resolve(import.meta.dirname, page)),
    },
  },
  plugins: [
    coverage(),
    kernels(),
    resampler(),
    policy(),
    viteStaticCopy({
      structured: true,
      targets: [
        { src: 'models/*/{manifest.json,model.onnx,plda.bin}', dest: '' },
        { src: `node_modules/onnxruntime-web/dist/${RUNTIME_FILES}`, dest: 'ort', rename: { stripBase: 3 } },
      ],
    }),
    offline(HEADERS),
  ],
});
