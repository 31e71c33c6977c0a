/**
 * Compiles the MP3 decoder: `npx tsx scripts/minimp3.ts`. It needs clang and wasm-ld with the target wasm32; other versions
 * than the recorded one may write other bytes. The module is in the repository, so that a build needs no compiler for C.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../src/audio/minimp3');
export const MODULE = join(FOLDER, 'minimp3.wasm');
const RECORD = join(FOLDER, 'build.json');

/** No SIMD: with `-msimd128`, clang 14 compiles minimp3 to a module that decodes wrongly, and it is hardly faster. */
const OPTIONS = ['--target=wasm32', '-O2', '-Wall', '-nostdlib', '-ffreestanding', '-fbuiltin'];
/** The scratch memory of a frame has 19 kB. */
const LINK_OPTIONS = ['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=65536'];

/** Inputs and compiler of the committed module. */
export interface BuildRecord {
  /** First line of `clang --version`. */
  readonly compiler: string;
  /** SHA-256 of the files, in hex. */
  readonly sources: Readonly<Record<string, string>>;
  readonly module: string;
}

export const readRecord = (): BuildRecord => JSON.parse(readFileSync(RECORD, 'utf8')) as BuildRecord;

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Hashes of the files as they are now. */
export function hashes(): Pick<BuildRecord, 'sources' | 'module'> {
  const sources = { 'minimp3.h': join(FOLDER, 'minimp3.h'), 'module.c': join(FOLDER, 'module.c'), 'scripts/minimp3.ts': import.meta.filename };
  return { sources: Object.fromEntries(Object.entries(sources).map(([name, path]) => [name, sha256(path)])), module: sha256(MODULE) };
}

/** The first installed clang and its version; null if none is installed. */
export function findCompiler(): { readonly program: string; readonly version: string } | null {
  for (const program of ['clang-14', 'clang']) {
    try {
      const [version = ''] = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
      // Without lld, it compiles but cannot link.
      execFileSync(program, ['--target=wasm32', '-nostdlib', '-Wl,--no-entry', '-x', 'c', '/dev/null', '-o', '/dev/null'], { stdio: 'ignore' });
      return { program, version };
    } catch {
      // Not installed.
    }
  }
  return null;
}

/** @throws Error with the compiler's exit status; its messages go to the standard error stream */
export function compile(program: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'minimp3-'));
  try {
    // The headers that minimp3.h includes; module.c defines the functions.
    writeFileSync(join(folder, 'stdlib.h'), '');
    writeFileSync(
      join(folder, 'string.h'),
      ['#include <stddef.h>', 'void *memcpy(void *, const void *, size_t);', 'void *memmove(void *, const void *, size_t);', 'void *memset(void *, int, size_t);', ''].join('\n'),
    );
    const module = join(folder, 'module.wasm');
    execFileSync(program, [...OPTIONS, '-isystem', folder, ...LINK_OPTIONS, '-o', module, 'module.c'], { cwd: FOLDER, stdio: ['ignore', 'inherit', 'inherit'] });
    return readFileSync(module);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const compiler = findCompiler();
  if (!compiler) throw new Error('clang is missing: install clang and lld');
  writeFileSync(MODULE, compile(compiler.program));
  const record: BuildRecord = { compiler: compiler.version, ...hashes() };
  writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`);
  console.log(`${MODULE}: ${readFileSync(MODULE).length} bytes, ${record.module}`);
}
