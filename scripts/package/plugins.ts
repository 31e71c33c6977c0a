import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'rolldown';
import { REPLACED, ROOT } from './entries';

/** Takes the package's own modules in the place of those of the app. */
export function replaceModules(): Plugin {
  const byPath = new Map(Object.entries(REPLACED).map(([from, to]) => [resolve(ROOT, from), resolve(ROOT, to)]));
  // A file that was renamed would be replaced no more, and nobody would hear of it.
  const missing = Array.from(byPath).flat().filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`there is no ${missing.join(', ')} any more`);
  return {
    name: 'voxlane-replace-modules',
    async resolveId(source, importer, options) {
      if (!importer || !source.startsWith('.')) return null;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      const replacement = resolved && byPath.get(resolve(resolved.id));
      // The module itself has the types of the one that it replaces.
      return replacement && resolve(importer) !== replacement ? { id: replacement } : resolved;
    },
  };
}

/** What Vite gives for `?raw` and `?inline`: the text of a file. */
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
