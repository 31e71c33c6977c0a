/** WebGPU in Node: Dawn (npm `webgpu`) on a software driver, Mesa's lavapipe or the SwiftShader of a Chromium installation. */
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../../cli/chromium';
import { installGpu } from '../../src/util/nodeDawn';

/** Manifests of lavapipe: of `.ci/mesa`, and of installed packages. */
const MESA_FILES = [
  fileURLToPath(new URL('../../node_modules/.cache/mesa/lvp_icd.json', import.meta.url)),
  '/usr/share/vulkan/icd.d/lvp_icd.json',
  '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json',
  '/usr/share/vulkan/icd.d/lvp_icd.aarch64.json',
];
/** Dawn finds no adapter with Mesa 22, which declares Vulkan 1.1. Mesa 25, which declares 1.4, works. */
const LEAST_VULKAN = [1, 4] as const;

/** Manifest of SwiftShader. Debian installs it separately; other systems have it beside the browser. */
const SWIFTSHADER_FILE = 'vk_swiftshader_icd.json';
const SWIFTSHADER_FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser'];

/** The remedy if {@link driverFile} finds nothing. */
export const NO_DRIVER = 'there is no software Vulkan driver; install mesa-vulkan-drivers (Mesa 25 or later) or Chromium, or set VK_ICD_FILENAMES';

/** Reason why there is no GPU in Node; null if there is one. Set by {@link installDawn}. */
export type Missing = string | null;

function isRecent(manifest: string): boolean {
  const { ICD } = JSON.parse(readFileSync(manifest, 'utf8')) as { ICD?: { api_version?: string } };
  const [major = 0, minor = 0] = (ICD?.api_version ?? '').split('.').map(Number);
  return major > LEAST_VULKAN[0] || (major === LEAST_VULKAN[0] && minor >= LEAST_VULKAN[1]);
}

/** Path of the manifest of the software driver, lavapipe if it is recent enough; null if there is none. */
export function driverFile(): string | null {
  const { VK_ICD_FILENAMES } = process.env;
  if (VK_ICD_FILENAMES) return VK_ICD_FILENAMES;
  const mesa = MESA_FILES.find((path) => existsSync(path) && isRecent(path));
  if (mesa !== undefined) return mesa;
  const folders = [...SWIFTSHADER_FOLDERS];
  try {
    folders.push(dirname(findChromium()));
  } catch {
    // Without a browser, there is no folder to search.
  }
  return folders.map((folder) => join(folder, SWIFTSHADER_FILE)).find((path) => existsSync(path)) ?? null;
}

/**
 * Defines Dawn's classes on the global object and its GPU as `navigator.gpu`.
 *
 * @returns the reason if this is impossible; null on success
 */
export async function installDawn(): Promise<Missing> {
  const driver = driverFile();
  if (driver === null) return NO_DRIVER;
  // Both must be set before the Vulkan loader starts.
  process.env.VK_ICD_FILENAMES = driver;
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const { create, globals } = await import('webgpu');
  const gpu = create([]);
  installGpu(gpu, globals, { userAgent: `Node ${process.version}`, hardwareConcurrency: 2 });
  const adapter = await gpu.requestAdapter();
  return adapter ? null : `Dawn found no adapter with ${driver}`;
}

/** Address of ONNX Runtime's files for Node. */
export const RUNTIME_BASE = new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url).href;
