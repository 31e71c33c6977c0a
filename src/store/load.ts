import { messageOf } from '../util/errors';
import { sha256Hex } from '../util/hash';
import { altered, missing } from './failures';
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
  const bytes = await fetchChecked(new URL(`${id}/${manifest.file.name}`, base).href, manifest.file);
  return { manifest, bytes };
}

/**
 * Fetches a file, and checks its length and SHA-256.
 *
 * @throws VoxlaneError `model-missing` or `model-altered`
 */
export async function fetchChecked(
  address: string,
  expected: { readonly bytes: number; readonly sha256: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await (await fetchOk(address)).arrayBuffer());
  if (bytes.length !== expected.bytes) throw altered(address, `has ${bytes.length} bytes`, `${expected.bytes} bytes`);
  const hash = await sha256Hex(bytes);
  if (hash !== expected.sha256) throw altered(address, `has SHA-256 ${hash}`, expected.sha256);
  return bytes;
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

/** @throws VoxlaneError `model-missing` */
export async function fetchJson(address: string): Promise<unknown> {
  const text = await (await fetchOk(address)).text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text.trimStart().startsWith('<') ? 'an HTML page' : 'no JSON';
    throw missing(address, `the answer is ${found}`, cause);
  }
}
