import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'rolldown';
import { ROOT } from './entries';

/** Replaces modules of the app, by path relative to the repository. */
export function replaceModules(replaced: Readonly<Record<string, string>>): Plugin {
  const byPath = new Map(Object.entries(replaced).map(([from, to]) => [resolve(ROOT, from), resolve(ROOT, to)]));
  // Without this check, a renamed file would silently no longer be replaced.
  const missing = Array.from(byPath).flat().filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`files to replace no longer exist: ${missing.join(', ')}`);
  return {
    name: 'voxlane-replace-modules',
    async resolveId(source, importer, options) {
      if (!importer || !source.startsWith('.')) return null;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      const replacement = resolved && byPath.get(resolve(resolved.id));
      // The replacement imports types from the module that it replaces.
      return replacement && resolve(importer) !== replacement ? { id: replacement } : resolved;
    },
  };
}

/** Imports the text of a file for `?raw` and `?inline`, as in Vite. */
export function textFiles(): Plugin {
  const suffix = /\?(raw|inline)$/;
  return {
    name: 'voxlane-text-files',
    resolveId: {
      filter: { id: suffix },
      handler: (source, importer) => (importer ? join(importer, '..', source) : null),
    },
    load: {
      filter: { id: suffix },
      handler: (id) => ({ code: `export default ${JSON.stringify(readFileSync(id.replace(suffix, ''), 'utf8'))};`, moduleType: 'js' }),
    },
  };
}

/** Prefix of the entries of the workers for Node. */
export const THREAD = 'virtual:thread/';

/** Makes entries for the workers for Node: the globals of a browser's worker come first. */
export function nodeThreads(): Plugin {
  return {
    name: 'voxlane-node-threads',
    resolveId: {
      filter: { id: new RegExp(`^${THREAD}`) },
      handler: (id) => id,
    },
    load: {
      filter: { id: new RegExp(`^${THREAD}`) },
      handler: (id) => {
        const scripts = ['nodeThread.ts', `${id.slice(THREAD.length)}.worker.ts`];
        return { code: scripts.map((script) => `import ${JSON.stringify(join(ROOT, 'workers', script))};`).join('\n'), moduleType: 'js' };
      },
    },
  };
}
