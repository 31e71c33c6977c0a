import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build, type Plugin } from 'vite';
import { groupOf, type Release, type ReleaseFile } from '../src/sw/contract.ts';

const ENTRY = join(import.meta.dirname, '../src/sw/serviceWorker.ts');

/**
 * Compiles the service worker into `sw.js` and embeds the list of all built files with their hashes.
 *
 * @param headers headers for cached files if the server sends none
 */
export function offline(headers: Release['headers']): Plugin {
  let folder = '';
  let hasFailed = false;
  return {
    name: 'voxlane-offline',
    apply: 'build',
    configResolved({ root, build: { outDir } }) {
      folder = join(root, outDir);
    },
    buildEnd(error) {
      hasFailed = error !== undefined;
    },
    closeBundle: {
      // After the plugin that copies models and runtime.
      order: 'post',
      sequential: true,
      async handler(error) {
        // An error about missing output files would hide the original error.
        if (error || hasFailed) return;
        const release: Release = { files: listFiles(folder), headers };
        await build({
          configFile: false,
          logLevel: 'error',
          define: { RELEASE: JSON.stringify(release) },
          build: {
            target: 'es2022',
            outDir: folder,
            emptyOutDir: false,
            copyPublicDir: false,
            // A classic script, because not every browser supports module service workers.
            rolldownOptions: { input: ENTRY, output: { format: 'iife', entryFileNames: 'sw.js' } },
          },
        });
      },
    },
  };
}

/** Sorted by path to keep the script reproducible. */
function listFiles(folder: string): ReleaseFile[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .flatMap((path) => {
      const group = groupOf(path);
      const sha256 = createHash('sha256').update(readFileSync(join(folder, path))).digest('base64');
      return group ? [{ path, sha256, group }] : [];
    });
  const missing = (['page', 'work', 'gpu'] as const).filter((group) => !files.some((file) => file.group === group));
  if (missing.length > 0) throw new Error(`the service worker would cache no files of: ${missing.join(', ')}`);
  return files;
}
