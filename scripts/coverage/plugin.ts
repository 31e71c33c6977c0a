/**
 * Statement coverage of `src` and `workers`, in Node and in all browser threads.
 *
 * The sources are instrumented before any other transform. Statement ids therefore refer to the original files, and hits
 * from unit tests, pages and workers can be merged as sets of ids. Active only if `VOXLANE_COVERAGE` is set to a folder.
 */
import { createInstrumenter } from 'istanbul-lib-instrument';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Connect, Plugin } from 'vite';

const ROOT = join(import.meta.dirname, '../..');
/** Name of the counters on the global object of each thread. */
export const COUNTERS = '__voxlaneCoverage__';
/** Pages and workers post the ids of newly covered statements to this path. */
const REPORT_PATH = '/voxlane-coverage';
const FLUSH_MODULE = 'virtual:coverage-flush';
const RESOLVED_FLUSH = `\0${FLUSH_MODULE}`;

/** Output folder for hits; undefined if coverage is disabled. */
export const coverageFolder = process.env.VOXLANE_COVERAGE;

/** Whether `path`, absolute or relative to the root, is a source file included in the coverage. */
export function countsForCoverage(path: string): boolean {
  const name = relative(ROOT, path).split(sep).join('/');
  if (!/^(src|workers)\/.*\.ts$/.test(name) || name.startsWith('src/nn/assembly/')) return false;
  return !/(\.d\.ts|\.test\.ts|\/onnx_pb\.ts)$/.test(name);
}

/** Instruments one file. Statement ids are the same in every build. */
export function instrument(code: string, path: string): { code: string; statements: number[] } {
  const instrumenter = createInstrumenter({
    esModules: true,
    compact: false,
    coverageVariable: COUNTERS,
    coverageGlobalScopeFunc: false,
    coverageGlobalScope: 'globalThis',
    parserPlugins: ['typescript', 'explicitResourceManagement'],
  });
  const name = relative(ROOT, path).split(sep).join('/');
  const instrumented = instrumenter.instrumentSync(code, name);
  return { code: instrumented, statements: Object.keys(instrumenter.lastFileCoverage().statementMap).map(Number) };
}

/** Posts newly covered statements four times per second, because a worker can be terminated at any time. */
const FLUSH = `
const seen = new Map();
function flush() {
  const hits = {};
  for (const [file, { s }] of Object.entries(globalThis.${COUNTERS} ?? {})) {
    if (!seen.has(file)) seen.set(file, new Set());
    const known = seen.get(file);
    for (const id in s) if (s[id] > 0 && !known.has(id)) { known.add(id); (hits[file] ??= []).push(Number(id)); }
  }
  if (Object.keys(hits).length === 0) return;
  const body = JSON.stringify(hits);
  fetch(new URL('${REPORT_PATH}', location.href), { method: 'POST', body, keepalive: body.length < 60000 }).catch(() => {});
}
setInterval(flush, 250);
globalThis.addEventListener?.('pagehide', flush);
`;

/** Instruments the sources and collects the hits that browsers post to the preview server. */
export function coverage(): Plugin {
  const receive: Connect.NextHandleFunction = (request, response, next) => {
    if (request.method !== 'POST' || request.url !== REPORT_PATH) {
      next();
      return;
    }
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      saveHits(body, 'browser');
      response.end();
    });
  };
  return {
    name: 'voxlane-coverage',
    enforce: 'pre',
    resolveId: (id) => (id === FLUSH_MODULE ? RESOLVED_FLUSH : null),
    load: (id) => (id === RESOLVED_FLUSH ? FLUSH : null),
    transform(code, id) {
      if (!coverageFolder || id.includes('?') || !countsForCoverage(id)) return null;
      const flush = process.env.VITEST ? '' : `import '${FLUSH_MODULE}';\n`;
      return { code: flush + instrument(code, id).code, map: null, moduleType: 'ts' };
    },
    configurePreviewServer(server) {
      server.middlewares.use(receive);
    },
  };
}

/** Appends one JSON line that maps files to ids of covered statements. */
export function saveHits(line: string, kind: 'browser' | 'unit'): void {
  if (!coverageFolder) return;
  mkdirSync(coverageFolder, { recursive: true });
  appendFileSync(join(coverageFolder, `${kind}-${process.pid}.ndjson`), `${line}\n`);
}
