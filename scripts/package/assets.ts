import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ASSETS_PACKAGE, ROOT } from './entries';

/** Files of a model folder that are published. The other files are only needed to build the model. */
const MODEL_FILES = ['manifest.json', 'model.onnx', 'plda.bin', 'LICENSE'];
/** Runtime builds used by src/ort. */
const RUNTIME_FILES = [
  'ort.wasm.min.mjs',
  'ort.webgpu.min.mjs',
  'ort-wasm-simd-threaded.mjs',
  'ort-wasm-simd-threaded.wasm',
  'ort-wasm-simd-threaded.asyncify.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
];

/** Source paths of files of one kind, by their path in the kind's folder. */
type Files = Readonly<Record<string, string>>;

/** Copies non-code files and writes the module with their addresses. */
export function buildAssets(): void {
  const kinds: Readonly<Record<string, Files>> = { models: modelFiles(), runtime: runtimeFiles(), goldens: goldenFiles() };
  rmSync(join(ASSETS_PACKAGE, 'voxlane'), { recursive: true, force: true });
  for (const [kind, files] of Object.entries(kinds)) {
    for (const [path, source] of Object.entries(files)) copy(source, join(ASSETS_PACKAGE, 'voxlane', FOLDERS[kind]!, path));
  }
  writeFileSync(join(ASSETS_PACKAGE, 'index.js'), moduleOf(kinds));
  writeFileSync(join(ASSETS_PACKAGE, 'index.d.ts'), TYPES);
  copyFileSync(join(ROOT, 'THIRD_PARTY.md'), join(ASSETS_PACKAGE, 'THIRD_PARTY.md'));
}

/** Folder names, the same as in the app. */
const FOLDERS: Readonly<Record<string, string>> = { models: 'models', runtime: 'ort', goldens: 'goldens' };

function modelFiles(): Files {
  const folder = join(ROOT, 'models');
  const models = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return Object.fromEntries(
    models.flatMap(({ name }) =>
      readdirSync(join(folder, name))
        .filter((file) => MODEL_FILES.includes(file))
        .map((file) => [`${name}/${file}`, join(folder, name, file)]),
    ),
  );
}

function runtimeFiles(): Files {
  return Object.fromEntries(RUNTIME_FILES.map((file) => [file, join(ROOT, 'node_modules/onnxruntime-web/dist', file)]));
}

function goldenFiles(): Files {
  const folder = join(ROOT, 'public/goldens');
  return Object.fromEntries(readdirSync(folder).filter((file) => file.endsWith('.zip')).map((file) => [file, join(folder, file)]));
}

function copy(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(source, target);
}

/**
 * Manifests are inlined as data: addresses. They are small, and bundlers would inline them anyway, in base64.
 */
function moduleOf(kinds: Readonly<Record<string, Files>>): string {
  const lines = Object.entries(kinds).map(([kind, files]) => {
    const entries = Object.entries(files)
      .filter(([path]) => basename(path) !== 'LICENSE')
      .map(([path, source]) => `    ${JSON.stringify(path)}: ${addressOf(`./voxlane/${FOLDERS[kind]!}/${path}`, source)},`);
    return [`  ${kind}: {`, ...entries, '  },'].join('\n');
  });
  return `${HEADER}${ADDRESSES_AT}export const files = {\n${lines.join('\n')}\n};\n`;
}

function addressOf(path: string, source: string): string {
  if (!path.endsWith('.json')) return `at(() => new URL(${JSON.stringify(path)}, import.meta.url), ${JSON.stringify(path)})`;
  const manifest = JSON.stringify(JSON.parse(readFileSync(source, 'utf8')));
  return JSON.stringify(`data:application/json,${encodeURIComponent(manifest)}`);
}

const HEADER = `// Addresses of the files that voxlane fetches, by their path. Bundlers find them in \`new URL(…, import.meta.url)\`.\n`;

/** A bundler that writes a classic script leaves \`import.meta.url\` empty: the folder is beside the page then. */
const ADDRESSES_AT = `
const at = (beside, path) => (import.meta.url ? beside() : new URL(path, document.baseURI)).href;

`;

const TYPES = `/** Addresses of the files, by their path in the folder of their kind. */
export declare const files: {
  /** Models and their manifests: \`<model id>/<file>\`. */
  readonly models: Readonly<Record<string, string>>;
  /** ONNX Runtime's scripts and WebAssembly. */
  readonly runtime: Readonly<Record<string, string>>;
  /** Golden outputs: \`<model id>.zip\`. */
  readonly goldens: Readonly<Record<string, string>>;
};
`;
