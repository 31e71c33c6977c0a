/**
 * Packs `npm run bench:gpu` into a folder that runs on a Linux x64 machine with Node 20.19, glibc 2.34 and a GPU driver,
 * without network, browser or this repository: `run.sh` starts it.
 *
 *   npm run bench:gpu:pack [-- FOLDER]   default: dist-gpu-bench, which is replaced
 *
 * Exit status: 0 on success, 1 if the folder is larger than its limit or cannot be written, 2 for wrong usage.
 */
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { runCommand } from '../cli/script';
import { parsed, parseFlags, UsageError } from '../cli/usage';
import { buildForNode } from './package/code';
import { ROOT } from './package/entries';

const MAX_BYTES = 60 * 2 ** 20;
/** Written last. A folder without it was not made by this script, and is not deleted. */
const START = 'run.sh';

/** Files by their path in the folder. The engine computes both networks without ONNX Runtime, of which it only reads the version. */
const FILES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['segmentation-3.0', 'campplus-zh-en'].flatMap((id) => [`${id}/manifest.json`, `${id}/model.onnx`, `${id}/LICENSE`]),
      ...['manifest.json', 'plda.bin', 'LICENSE'].map((name) => `plda-campplus-zh-en/${name}`),
    ].map((path) => [`models/${path}`, `models/${path}`]),
  ),
  // For the estimate, which needs no weights.
  'models/wespeaker-resnet34-lm/manifest.json': 'models/wespeaker-resnet34-lm/manifest.json',
  'models/wespeaker-resnet34-lm/wespeaker.onnx': 'e2e/fixtures/resnet34/wespeaker.onnx',
  'goldens/segmentation-3.0.zip': 'public/goldens/segmentation-3.0.zip',
  'goldens/campplus-zh-en.zip': 'public/goldens/campplus-zh-en.zip',
  'ort/ort.wasm.min.mjs': 'node_modules/onnxruntime-web/dist/ort.wasm.min.mjs',
  'sample.wav': 'public/sample.wav',
  LICENSE: 'LICENSE',
  'THIRD_PARTY.md': 'THIRD_PARTY.md',
  ...Object.fromEntries(
    ['package.json', 'index.js', 'LICENSE.md', 'dist/linux-x64/dawn.node'].map((path) => [`node_modules/webgpu/${path}`, `node_modules/webgpu/${path}`]),
  ),
};

const ASSETS = `const at = (path) => new URL(path, import.meta.url).href;
export const files = { models: at('../../models/'), runtime: at('../../ort/'), goldens: at('../../goldens/') };
`;

/** The Vulkan loader of this machine, for machines that have a driver only. */
const LOADER = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';
/** Containers often have NVIDIA's driver without its manifest. */
const NVIDIA_LIBRARIES = ['libGLX_nvidia.so.0', 'libEGL_nvidia.so.0'];

const START_SCRIPT = `#!/bin/sh
# Measures the WebGPU kernels of Voxlane on this machine. Options: ./${START} --help
here=$(cd "$(dirname "$0")" && pwd) || exit 1
if ! command -v node > /dev/null; then
  echo "bench:gpu: node was not found. Install Node 20.19 or later, or add it to PATH." >&2
  exit 1
fi
if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
  echo "bench:gpu: node is $(node --version). Install Node 20.19 or later." >&2
  exit 1
fi
libraries=$(/sbin/ldconfig -p 2> /dev/null || ldconfig -p 2> /dev/null)
case "$libraries" in
  *libvulkan.so.1*) ;;
  *) [ -f "$here/lib/libvulkan.so.1" ] && export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;;
esac
if [ -z "$VK_ICD_FILENAMES$VK_DRIVER_FILES" ] && ! grep -qs nvidia /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json; then
  for library in ${NVIDIA_LIBRARIES.join(' ')}; do
    case "$libraries" in *"$library"*) export VK_ICD_FILENAMES="$here/lib/$library.json"; break ;; esac
  done
fi
exec node "$here/bench.mjs" "$@"
`;

/** Replaces the module that locates files in the repository. */
const packedPlace: Plugin = {
  name: 'packed-place',
  setup(bundler) {
    bundler.onResolve({ filter: /\/dawn\/place$/ }, () => ({ path: join(ROOT, 'bench/dawn/packedPlace.ts') }));
  },
};

async function pack(folder: string): Promise<void> {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) throw new UsageError(`${folder} is a file. Expected a new folder, or one that this command made.`);
  if (found && readdirSync(folder).length > 0 && !existsSync(join(folder, START))) {
    throw new UsageError(`${folder} is not empty and has no ${START}. Expected a new folder, or one that this command made.`);
  }
  rmSync(folder, { recursive: true, force: true });
  for (const [path, source] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, source), join(folder, path));
  }
  await buildForNode(join(folder, 'engine'));
  const shared: BuildOptions = { bundle: true, platform: 'node', format: 'esm', target: 'node20', absWorkingDir: ROOT, external: ['webgpu'] };
  await build({ ...shared, entryPoints: ['bench/dawn.ts'], outfile: join(folder, 'bench.mjs'), plugins: [packedPlace] });
  await build({ ...shared, entryPoints: ['bench/dawn/meterThread.ts'], outfile: join(folder, 'meterThread.mjs') });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('node_modules/voxlane-assets/index.js', ASSETS);
  write('node_modules/voxlane-assets/package.json', JSON.stringify({ name: 'voxlane-assets', type: 'module', exports: './index.js' }));
  write('package.json', JSON.stringify({ private: true, type: 'module' }));
  for (const library of NVIDIA_LIBRARIES) {
    write(`lib/${library}.json`, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } }));
  }
  if (existsSync(LOADER)) copyFileSync(LOADER, join(folder, 'lib/libvulkan.so.1'));
  write(START, START_SCRIPT);
  chmodSync(join(folder, START), 0o755);
}

const sizeOf = (path: string): number =>
  statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : statSync(path).size;

const HELP = `Usage: npm run --silent bench:gpu:pack -- [FOLDER]

Packs bench:gpu into a folder (default dist-gpu-bench, which is replaced) that measures the GPU of another Linux machine.

  --help  print this text

Exit status: 0 on success, 1 if the folder is larger than its limit or cannot be written, 2 for wrong usage.
`;

await runCommand('bench:gpu:pack', 1, async () => {
  const { values, positionals } = parsed(() => parseFlags({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } }));
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [path = join(ROOT, 'dist-gpu-bench'), ...others] = positionals;
  if (others.length > 0 || path === '') throw new UsageError(`the folders are ${JSON.stringify(positionals)}. Expected one folder, or none.`);
  const folder = resolve(path);
  await pack(folder);
  const bytes = sizeOf(folder);
  const text = `${(bytes / 2 ** 20).toFixed(1)} MiB, limit ${MAX_BYTES / 2 ** 20} MiB`;
  console.log(`${folder}: ${text}`);
  if (bytes > MAX_BYTES) throw new Error(`the folder is too large: ${text}. Leave files out, or raise MAX_BYTES in scripts/packGpuBench.ts.`);
  return 0;
});
