/** Code blocks as programs: concatenates and compiles them and checks them against the built types. */
import { mkdtempSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import type { Fence, Run } from './fences';
import { ROOT } from './pages';

/** Variables that tests can provide to a block: type and initializer. A variable has the name of its entry, unless `variable` is set. */
export const GIVEN: Readonly<Record<string, { readonly type: string; readonly value: string; readonly variable?: string }>> = {
  file: { type: 'File', value: `new File([await (await fetch('/given/sample.wav')).blob()], 'sample.wav')` },
  // A few seconds, for blocks whose output does not depend on the length.
  clip: { type: 'File', value: `new File([await (await fetch('/given/clip.wav')).blob()], 'sample.wav')`, variable: 'file' },
  samples: { type: 'Float32Array', value: `globalThis.samplesOf(await (await fetch('/given/sample.wav')).arrayBuffer())` },
  url: { type: 'string', value: `'/given/sample.wav'` },
  base: { type: 'string', value: `location.origin + '/node_modules/voxlane-assets/'` },
  rttm: { type: 'string', value: `await (await fetch('/given/sample.rttm')).text()` },
  bundle: { type: 'File', value: `new File([await (await fetch('/given/bundle.zip')).blob()], 'segmentation-3.0.zip')` },
  modelFile: { type: 'File', value: `new File([await (await fetch('/given/model.onnx')).blob()], 'voxceleb_resnet34_LM.onnx')` },
};

/** Names provided to a run's fences. @throws Error for an unknown name */
export function givenTo({ fences }: Run): string[] {
  const names = new Set(fences.flatMap(({ words }) => words.filter((word) => word.startsWith('given:')).map((word) => word.slice(6))));
  for (const name of names) if (!(name in GIVEN)) throw new Error(`${fences[0]!.page}:${fences[0]!.line} uses the unknown given name ${name}`);
  return [...names];
}

const variableOf = (name: string): string => GIVEN[name]!.variable ?? name;

const isOutput = ({ language }: Fence): boolean => language === 'text' || language === 'json';

/** Expected outputs of a run. Each one covers the output since the previous one. */
export const outputsOf = ({ fences }: Run): Fence[] => fences.filter(isOutput);

/** The run's code as one TypeScript module. It calls `globalThis.printed()` at the position of each output block. */
function sourceOf({ fences }: Run): string {
  const parts = fences.map((fence) => (isOutput(fence) ? 'globalThis.printed();' : fence.code));
  return parts.join('\n');
}

/** Compiles the module for a page. Packages stay external and are resolved by the page's import map. */
export async function compile(run: Run): Promise<string> {
  const given = givenTo(run).map((name) => `const ${variableOf(name)} = ${GIVEN[name]!.value};`);
  const { outputFiles } = await build({
    // Imports are hoisted.
    stdin: { contents: [...given, sourceOf(run)].join('\n'), loader: 'ts', resolveDir: ROOT },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    external: ['voxlane', 'voxlane/*', 'voxlane-assets'],
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/**
 * Checks the TypeScript blocks with the compiler in strict mode and the packages' types.
 *
 * @returns one line per error, with page and line
 */
export function typeErrors(runs: readonly Run[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-blocks-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    for (const name of ['voxlane', 'voxlane-assets']) symlinkSync(join(ROOT, 'packages', name), join(folder, 'node_modules', name));
    const sources = new Map(
      runs
        .filter(({ fences }) => fences.some(({ language }) => language === 'ts'))
        .map((run, index) => [join(folder, `block${index}.ts`), run] as const),
    );
    for (const [path, run] of sources) writeFileSync(path, checkedSource(run));
    const program = ts.createProgram([...sources.keys()], {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      preserveSymlinks: true,
    });
    return ts.getPreEmitDiagnostics(program).map(({ file, messageText, start }) => {
      const run = file && sources.get(file.fileName);
      const line = file && start !== undefined ? file.text.slice(0, start).split('\n').length : 0;
      const [first] = run?.fences ?? [];
      return `${first?.page ?? ''}:${first?.line ?? ''} (line ${line} of its program): ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkedSource(run: Run): string {
  const given = givenTo(run).map((name) => `declare const ${variableOf(name)}: ${GIVEN[name]!.type};`);
  const code = run.fences.filter((fence) => !isOutput(fence)).map((fence) => fence.code);
  return ['export {};', ...given, ...code].join('\n');
}
