import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** The used subset of the compiler's interface. */
interface Compiler {
  readonly createMemoryStream: () => { toString(): string };
  readonly main: (
    argv: readonly string[],
    options: { readonly stderr: object; readonly writeFile: (name: string, contents: string | Uint8Array) => void },
  ) => Promise<{ readonly error: Error | null }>;
}

/**
 * A constant instead of a literal in the import: the package's declarations add AssemblyScript's globals, whose `Array.at`
 * never returns undefined, and would change the types of the whole project.
 */
const COMPILER = 'assemblyscript/asc';

const FOLDER = join(import.meta.dirname, '../src/nn/assembly');
/** Modules that export the bytes of a build, by name. `src/modules.d.ts` declares them. */
const BUILDS: Readonly<Record<string, readonly string[]>> = {
  'virtual:kernels/relaxed': ['--enable', 'relaxed-simd'],
  'virtual:kernels/plain': [],
};
/** Prefix of ids that other plugins do not treat as files. */
const RESOLVED = '\0';

/** A build takes a second, and a bundle with workers requests it several times. */
const compiled = new Map<string, Promise<Uint8Array>>();

/**
 * Compiles `src/nn/assembly` (AssemblyScript) when one of its builds is imported. No generated file has to be kept in sync
 * with its source.
 */
export function kernels(): Plugin {
  return {
    name: 'voxlane-kernels',
    resolveId: { filter: { id: /^virtual:kernels\// }, handler: (id) => (id in BUILDS ? RESOLVED + id : null) },
    load: {
      filter: { id: /^\0virtual:kernels\// },
      async handler(id) {
        const flags = BUILDS[id.slice(RESOLVED.length)];
        if (!flags) return null;
        const files = readdirSync(FOLDER).map((name) => join(FOLDER, name));
        for (const file of files) this.addWatchFile(file);
        const key = [...flags, ...files.map((file) => readFileSync(file, 'utf8'))].join('\n');
        const bytes = compiled.get(key) ?? compileKernels(flags);
        compiled.set(key, bytes);
        // Inline as text: three kilobytes do not justify a separate file, and Node and browsers load it in the same way.
        const base64 = JSON.stringify(Buffer.from(await bytes).toString('base64'));
        return `export default Uint8Array.from(atob(${base64}), (letter) => letter.charCodeAt(0));`;
      },
    },
  };
}

/** @throws Error with the output of the compiler */
async function compileKernels(flags: readonly string[]): Promise<Uint8Array> {
  const { main: compile, createMemoryStream } = (await import(COMPILER)) as Compiler;
  let bytes: Uint8Array | undefined;
  const stderr = createMemoryStream();
  const options = ['--optimizeLevel', '3', '--runtime', 'stub', '--noAssert', '--use', 'abort=', '--importMemory'];
  const { error } = await compile(
    ['kernels.ts', '--baseDir', FOLDER, '--outFile', 'kernels.wasm', '--enable', 'simd', ...flags, ...options],
    {
      stderr,
      writeFile: (_, contents) => {
        bytes = contents as Uint8Array;
      },
    },
  );
  if (error || !bytes) throw new Error(`The kernels do not compile:\n${stderr.toString()}`, { cause: error });
  return bytes;
}
