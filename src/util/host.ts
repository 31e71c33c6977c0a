/**
 * What the library needs from the browser that Node offers in another way. In the Node build, `nodeHost.ts` replaces this
 * module.
 */
import { VoxlaneError } from './errors.ts';

/** Names the environment inside a sentence. */
export const HOST = 'this browser';
/** Remedies. */
export const FREE_MEMORY = 'Close other tabs to free memory';
export const FREE_GPU = 'Close other tabs that use the GPU';
export const START_AGAIN = 'Reload the page';
export const UPDATE = 'Update the browser or use another one';
export const INSTALL_AGAIN = 'Clear the browser cache, or install the file again';
/** How a user provides a model file, after "and". */
export const PASS_FILE = 'drop it on the page';
/** Who else uses the stored models. */
export const OTHER_USER = 'another tab';
/** Where models are stored, after "expected". */
export const STORAGE = 'storage that this page may use';
/** How a user makes the storage usable, after "or". */
export const ALLOW_STORAGE = "allow this page to store data in the browser's settings";

/** A timer that does not keep a process alive. */
export const backgroundTimer = (action: () => void, milliseconds: number): ReturnType<typeof setTimeout> => setTimeout(action, milliseconds);

/** Why a worker has only one thread for ONNX Runtime, as the end of a sentence; null if it may have more. */
export const threadLimit = (): string | null =>
  globalThis.crossOriginIsolated ? null : 'one thread per worker, because the page is not cross-origin isolated';

/** Threads of ONNX Runtime in one worker. */
export const runtimeThreads = (wanted: number): number => wanted;

/** The parts of a response that readers of whole files use. */
export type FileResponse = Pick<Response, 'ok' | 'status' | 'statusText' | 'arrayBuffer' | 'blob' | 'json' | 'text'>;

/** Fetches a file. */
export const request = (address: string | URL, options?: RequestInit): Promise<FileResponse> => fetch(address, options);

/** Name and version of the browser, as it reports them. */
export const userAgent = (): string => navigator.userAgent;

/** Processor cores, as the browser reports them. */
export const coreCount = (): number => navigator.hardwareConcurrency;

/** Address that relative addresses refer to. */
export const baseAddress = (): string => document.baseURI;

/** Whether an adapter may be used. A browser's self-check decides that. */
export const isUsable = (_adapter: GPUAdapter): boolean => true;

/** Name of a required feature that this browser lacks; null if it has all. */
export const missingFeature = (): string | null => ['Worker', 'WebAssembly'].find((feature) => !(feature in globalThis)) ?? null;

/** WebGPU of this browser; undefined outside secure contexts and in browsers without it. */
export const findGpu = (): Promise<GPU | undefined> => Promise.resolve((navigator as { readonly gpu?: GPU }).gpu);

/** Enables relaxed SIMD in WebAssembly. A browser either has it or not. */
export const enableRelaxedSimd = (): void => undefined;

/** The path of a file on disk, if `source` names one; null for any other value, and always null in a browser. */
export const pathOf = (_source: unknown): string | null => null;

/** A Blob that can be sent to a worker. @param unreadable in Node, makes the error of a file that was changed or removed */
export const shareable = (blob: Blob, _unreadable: (cause: unknown) => VoxlaneError): Promise<Blob> => Promise.resolve(blob);

/** Opens a file on disk. @throws VoxlaneError `environment`: only Node can open a path */
export function openPath(path: string): Promise<Blob> {
  return Promise.reject(
    new VoxlaneError({
      code: 'environment',
      problem: `A browser cannot open the path ${path}`,
      expected: 'a File or Blob',
      remedy: 'Let the user select the file, or fetch it',
    }),
  );
}
