import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, dirname } from 'node:path';
import type { Plugin } from 'vite';

/** Code of the resampler's Emscripten script that loads the WASM file and Node modules for reading it. */
const UNUSED: readonly (readonly [found: RegExp, instead: string])[] = [
  [/new URL\("speex-resampler-simd\.wasm",import\.meta\.url\)\.href/, '""'],
  [/var ENVIRONMENT_IS_NODE=.*?;/, 'var ENVIRONMENT_IS_NODE=false;'],
  [/await import\("module"\)/, '{}'],
];

const SPEEX_SCRIPT = createRequire(import.meta.url).resolve('@echogarden/speex-resampler-wasm/simd');
/** Files whose bytes a module exports, by its name. `src/modules.d.ts` declares the modules. */
const FILES: Readonly<Record<string, string>> = {
  'virtual:wasm/speex-resampler': join(dirname(SPEEX_SCRIPT), 'speex-resampler-simd.wasm'),
  'virtual:wasm/minimp3': join(import.meta.dirname, '../src/audio/minimp3/minimp3.wasm'),
};
/** Prefix of ids that other plugins do not treat as files. */
const RESOLVED = '\0';

/**
 * Inlines small WASM files into the script that uses them. 30 kB do not justify a separate file that every embedder's
 * bundler and server would have to handle.
 */
export function wasm(): Plugin {
  return {
    name: 'voxlane-wasm',
    resolveId: { filter: { id: /^virtual:wasm\// }, handler: (id) => (id in FILES ? RESOLVED + id : null) },
    load: {
      filter: { id: /^\0virtual:wasm\// },
      handler(id) {
        const file = FILES[id.slice(RESOLVED.length)];
        if (file === undefined) return null;
        this.addWatchFile(file);
        const base64 = JSON.stringify(readFileSync(file, 'base64'));
        return `export default Uint8Array.from(atob(${base64}), (letter) => letter.charCodeAt(0));`;
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
