import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, dirname } from 'node:path';
import type { Plugin } from 'vite';

const BYTES = 'virtual:wasm/speex-resampler';
/** Id that other plugins do not treat as a file. */
const RESOLVED = `\0${BYTES}`;
/** Code of the package's Emscripten script that loads the WASM file and Node modules for reading it. */
const UNUSED: readonly (readonly [found: RegExp, instead: string])[] = [
  [/new URL\("speex-resampler-simd\.wasm",import\.meta\.url\)\.href/, '""'],
  [/var ENVIRONMENT_IS_NODE=.*?;/, 'var ENVIRONMENT_IS_NODE=false;'],
  [/await import\("module"\)/, '{}'],
];

const SCRIPT = createRequire(import.meta.url).resolve('@echogarden/speex-resampler-wasm/simd');

/**
 * Inlines the resampler's WASM into the script that uses it. 30 kB do not justify a separate file that every embedder's
 * bundler and server would have to handle.
 */
export function resampler(): Plugin {
  return {
    name: 'voxlane-resampler',
    resolveId: { filter: { id: /^virtual:wasm\// }, handler: (id) => (id === BYTES ? RESOLVED : null) },
    load: {
      filter: { id: /^\0virtual:wasm\// },
      handler: () => {
        const base64 = readFileSync(join(dirname(SCRIPT), 'speex-resampler-simd.wasm')).toString('base64');
        return `export default Uint8Array.from(atob(${JSON.stringify(base64)}), (letter) => letter.charCodeAt(0));`;
      },
    },
    transform: {
      filter: { id: /speex-resampler-simd\.js$/ },
      handler(code) {
        for (const [found] of UNUSED) if (!found.test(code)) throw new Error(`speex-resampler-simd.js no longer has ${found.source}`);
        return { code: UNUSED.reduce((text, [found, instead]) => text.replace(found, instead), code), map: null };
      },
    },
  };
}
