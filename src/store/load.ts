import { messageOf, VoxlaneError } from '../util/errors';
import { parseManifest, type Manifests } from './manifest';

/** A model whose file has been checked against its manifest. */
export interface LoadedModel<Task extends keyof Manifests> {
  readonly manifest: Manifests[Task];
  /** The ONNX graph. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Fetches a model's manifest and file, and checks the file's length and SHA-256 before anything runs it.
 *
 * @param base address that holds `<id>/manifest.json`, with a slash at its end
 * @throws VoxlaneError `model-missing`, `model-altered` or `model-invalid`
 */
export async function loadModel<Task extends keyof Manifests>(
  task: Task,
  id: string,
  base: string,
): Promise<LoadedModel<Task>> {
  const manifest = await loadManifest(task, id, base);
  const address = new URL(`${id}/${manifest.file.name}`, base).href;
  const bytes = new Uint8Array(await (await fetchOk(address)).arrayBuffer());
  if (bytes.length !== manifest.file.bytes) {
    throw altered(address, `has ${bytes.length} bytes`, `${manifest.file.bytes} bytes`);
  }
  const hash = await sha256Hex(bytes);
  if (hash !== manifest.file.sha256) throw altered(address, `has SHA-256 ${hash}`, manifest.file.sha256);
  return { manifest, bytes };
}

/** The manifest alone. @throws VoxlaneError `model-missing` or `model-invalid` */
export async function loadManifest<Task extends keyof Manifests>(
  task: Task,
  id: string,
  base: string,
): Promise<Manifests[Task]> {
  const address = new URL(`${id}/manifest.json`, base).href;
  return parseManifest(task, await fetchJson(address), address);
}

async function fetchOk(address: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch (cause) {
    throw missing(address, messageOf(cause), cause);
  }
  if (!response.ok) throw missing(address, `the server answered ${response.status} ${response.statusText}`.trim());
  return response;
}

async function fetchJson(address: string): Promise<unknown> {
  const text = await (await fetchOk(address)).text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text.trimStart().startsWith('<') ? 'an HTML page' : 'no JSON';
    throw missing(address, `the answer is ${found}`, cause);
  }
}

function missing(address: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem: `The model file ${address} could not be fetched: ${found}`,
      expected: 'the folder models/ of this release at that address',
      remedy: 'Check the `models` option and that the server serves the folder',
    },
    { cause },
  );
}

function altered(address: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-altered',
    problem: `The model file ${address} ${found}`,
    expected: `${expected}, as its manifest says`,
    remedy: 'Clear the browser cache, or install the file again: it was cut, changed or replaced',
  });
}

/** SHA-256 as lower-case hex. `crypto.subtle` is missing on plain http, where a library takes over. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = isSecureContext
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    : (await import('@noble/hashes/sha2.js')).sha256(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
