/** Replaces `host.ts` in the Node build. */
import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { addressOf } from './address.ts';
import { VoxlaneError } from './errors.ts';
import type { FileResponse } from './host.ts';
import { openFileBlob } from './nodeFileBlob.ts';
import { findDawn } from './nodeDawn.ts';
import { isSoftwareInfo } from './softwareAdapter.ts';

export const HOST = 'Node';
export const FREE_MEMORY = 'End other programs to free memory';
export const FREE_GPU = 'End other programs that use the GPU';
export const START_AGAIN = 'Start the program again';
export const UPDATE = 'Update Node';
export const INSTALL_AGAIN = 'Install the file again';
export const PASS_FILE = 'pass it as the option modelFile (--model in the command line)';
export const OTHER_USER = 'another program';
export const STORAGE = 'a cache folder that this user may write';
export const ALLOW_STORAGE = 'set the environment variable VOXLANE_CACHE to another folder';

export const backgroundTimer = (action: () => void, milliseconds: number): ReturnType<typeof setTimeout> => {
  const timer = setTimeout(action, milliseconds);
  timer.unref();
  return timer;
};

/** Node has a worker per core. ONNX Runtime's own threads would compete with them. */
export const threadLimit = (): null => null;

/** The build of ONNX Runtime for browsers cannot start its threads in Node. */
export const runtimeThreads = (_wanted: number): number => 1;

/** Fetches a file. Node's own `fetch` has no `file:` addresses. */
export async function request(address: string | URL, options?: RequestInit): Promise<FileResponse> {
  const url = new URL(address);
  if (url.protocol !== 'file:') return fetch(url, options);
  try {
    return fileResponse(await readFile(url, options?.signal ? { signal: options.signal } : {}));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { ...fileResponse(new Uint8Array(0)), ok: false, status: 404, statusText: 'no such file' };
  }
}

/** In place of a `Response`: Node loads its HTTP client for the first one, which takes 50 ms in each thread. */
function fileResponse(content: Uint8Array<ArrayBuffer>): FileResponse {
  const text = (): string => new TextDecoder().decode(content);
  return {
    ok: true,
    status: 200,
    statusText: '',
    arrayBuffer: () => Promise.resolve(content.byteLength === content.buffer.byteLength ? content.buffer : new Uint8Array(content).buffer),
    blob: () => Promise.resolve(new Blob([content])),
    json: () => new Promise((resolve) => { resolve(JSON.parse(text())); }),
    text: () => Promise.resolve(text()),
  };
}

export const userAgent = (): string => `Node.js/${process.versions.node} V8/${process.versions.v8}`;

/** Respects the CPU affinity of the process. */
export const coreCount = (): number => availableParallelism();

/** The current folder. */
export const baseAddress = (): string => pathToFileURL(`${process.cwd()}/`).href;

/** Not a software adapter, which is slower than WASM. Tests set the variable. */
export const isUsable = ({ info }: GPUAdapter): boolean => !isSoftwareInfo(info) || process.env.VOXLANE_SOFTWARE_GPU === '1';

export const missingFeature = (): string | null => null;

export const findGpu = findDawn;

/** Node 20 has relaxed SIMD behind a flag. The flag is for the whole process, so set it before threads compile anything. */
export function enableRelaxedSimd(): void {
  if (Number(process.versions.v8.split('.')[0]) < 12) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/** @throws VoxlaneError `options` for a `file:` address that is not the address of a path */
export function pathOf(source: unknown): string | null {
  if (addressOf(source) !== null) return null;
  if (typeof source === 'string') return source.startsWith('file:') ? pathOfAddress(source) : resolve(source);
  return source instanceof URL && source.protocol === 'file:' ? pathOfAddress(source) : null;
}

function pathOfAddress(address: string | URL): string {
  try {
    return fileURLToPath(address);
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'options',
        problem: `${String(address)} is not the address of a file`,
        expected: 'a path, or an address such as file:///folder/talk.wav',
        remedy: 'Pass the path, or convert it with pathToFileURL()',
      },
      { cause },
    );
  }
}

/**
 * Node cannot send a Blob of `openAsBlob` to a thread. Its content is read into memory.
 *
 * @param unreadable makes the error of a file that was changed or removed after it was opened
 */
export async function shareable(blob: Blob, unreadable: (cause: unknown) => VoxlaneError): Promise<Blob> {
  try {
    structuredClone(blob);
    return blob;
  } catch {
    const bytes = await blob.arrayBuffer().catch((cause: unknown) => {
      throw unreadable(cause);
    });
    return blob instanceof File ? new File([bytes], blob.name, { type: blob.type }) : new Blob([bytes], { type: blob.type });
  }
}

/** End of a sentence about a file. */
function whyUnreadable(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  // Node has replaced bytes of the name, for example those of Latin-1.
  if (code === 'ENOENT' && path.includes('\uFFFD')) return 'cannot be opened, because its name is not UTF-8';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  return code === 'EACCES' || code === 'EPERM' ? 'may not be read by this user' : `cannot be read (${code ?? 'no error code'})`;
}

/** The content stays on disk. @throws VoxlaneError `audio-missing`, `audio-unsupported` for a folder */
export async function openPath(path: string): Promise<Blob> {
  try {
    if ((await stat(path)).isFile()) return await openFileBlob(path);
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'audio-missing',
        problem: `The file ${path} ${whyUnreadable(path, cause)}`,
        expected: 'the path of a readable file',
        remedy: 'Check the path and the permissions',
      },
      { cause },
    );
  }
  throw new VoxlaneError({
    code: 'audio-unsupported',
    problem: `${path} is not a file`,
    expected: 'the path of an audio or video file',
    remedy: 'Pass the files of a folder one by one',
  });
}
