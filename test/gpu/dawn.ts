/** WebGPU in Node: Dawn (npm `webgpu`) with the SwiftShader library of a Chromium installation. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findChromium } from '../../cli/chromium';
import { installGpu } from '../../src/util/nodeDawn';

/** Manifest of the software Vulkan driver. Debian installs it separately; other systems have it beside the browser. */
const DRIVER_FILE = 'vk_swiftshader_icd.json';
const DRIVER_FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser'];

/** Reason why there is no GPU in Node; null if there is one. Set by {@link installDawn}. */
export type Missing = string | null;

/** Path of the manifest of the software driver; null if there is none. */
export function driverFile(): string | null {
  const { VK_ICD_FILENAMES } = process.env;
  if (VK_ICD_FILENAMES) return VK_ICD_FILENAMES;
  const folders = [...DRIVER_FOLDERS];
  try {
    folders.push(dirname(findChromium()));
  } catch {
    // Without a browser, there is no folder to search.
  }
  return folders.map((folder) => join(folder, DRIVER_FILE)).find((path) => existsSync(path)) ?? null;
}

/**
 * Defines Dawn's classes on the global object and its GPU as `navigator.gpu`.
 *
 * @returns the reason if this is impossible; null on success
 */
export async function installDawn(): Promise<Missing> {
  const driver = driverFile();
  if (driver === null) return `${DRIVER_FILE} was not found; install Chromium or set VK_ICD_FILENAMES`;
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
