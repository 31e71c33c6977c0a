import { VoxlaneError } from '../util/errors';
import { fetchFile } from '../util/fetch';
import { type FileResponse, INSTALL_AGAIN, PASS_FILE } from '../util/host';
import { addressIn, type FileBase } from '../util/fileBase';
import { sha256Hex } from '../util/hash';
import { type Manifests, parseManifest } from './manifest';

/** A model file or manifest is missing, or the server returned something else. */
export function missing(address: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem: `The model file ${address} could not be fetched: ${found}`,
      expected: 'the models/ folder of this release at that address',
      remedy: 'Check the `models` option and that the server serves the folder',
    },
    { cause },
  );
}

/** A model file differs from its manifest. */
export function altered(address: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-altered',
    problem: `The model file ${address} ${found}`,
    expected: `${expected}, as in its manifest`,
    remedy: `${INSTALL_AGAIN}: it was truncated, changed or replaced`,
  });
}

/** A model has no address, or its address does not return a model. */
export function unavailable(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'model-missing',
      problem,
      expected: 'one of the files listed in the manifest',
      remedy: `Download the file in another way and ${PASS_FILE}, or check the address of the models`,
    },
    { cause },
  );
}

/** A download that failed too often. */
export function gaveUp(address: string, reason: string, numFailures: number, received: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-download',
    problem: `The model file ${address} could not be fetched in ${numFailures} attempts. The last attempt failed because ${reason}, after ${received}`,
    expected: 'a stable connection',
    remedy: `Try again. The download resumes if the received part could be stored. Or download the file in another way and ${PASS_FILE}`,
  });
}

/** The caller's signal fired. */
export function cancelled(): VoxlaneError {
  return new VoxlaneError({ code: 'cancelled', problem: 'The model download was canceled' });
}

/** A model whose file was verified against its manifest. */
interface LoadedModel<Task extends keyof Manifests> {
  readonly manifest: Manifests[Task];
  /** The ONNX graph. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Fetches a model's manifest and file, and verifies the file's length and SHA-256.
 *
 * @param base holds `<id>/manifest.json`
 * @throws VoxlaneError `model-missing`, `model-altered` or `model-invalid`
 */
export async function loadModel<Task extends keyof Manifests>(
  task: Task,
  id: string,
  base: FileBase,
): Promise<LoadedModel<Task>> {
  const manifest = await loadManifest(task, id, base);
  const bytes = await fetchChecked(addressIn(base, `${id}/${manifest.file.name}`), manifest.file);
  return { manifest, bytes };
}

/**
 * Fetches a file and verifies its length and SHA-256.
 *
 * @throws VoxlaneError `model-missing` or `model-altered`
 */
export async function fetchChecked(
  address: string,
  expected: { readonly bytes: number; readonly sha256: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await fetchWhole(address, (response) => response.arrayBuffer()));
  if (bytes.length !== expected.bytes) throw altered(address, `has ${bytes.length} bytes`, `${expected.bytes} bytes`);
  const hash = await sha256Hex(bytes);
  if (hash !== expected.sha256) throw altered(address, `has SHA-256 ${hash}`, expected.sha256);
  return bytes;
}

/** Loads only the manifest. @throws VoxlaneError `model-missing` or `model-invalid` */
export async function loadManifest<Task extends keyof Manifests>(
  task: Task,
  id: string,
  base: FileBase,
): Promise<Manifests[Task]> {
  const address = addressIn(base, `${id}/manifest.json`);
  return parseManifest(task, await fetchJson(address), address);
}

/** @throws VoxlaneError `model-missing` */
function fetchWhole<Content>(address: string, read: (response: FileResponse) => Promise<Content>): Promise<Content> {
  return fetchFile(address, read, (why, cause) => missing(address, why, cause));
}

/** @throws VoxlaneError `model-missing` */
export async function fetchJson(address: string): Promise<unknown> {
  // Content inside a `data:` address is decoded, not fetched, because a Content-Security-Policy would have to allow
  // the fetch.
  const inline = /^data:[^,]*,(.*)$/s.exec(address)?.[1];
  const text = inline === undefined ? await fetchWhole(address, (response) => response.text()) : decodeURIComponent(inline);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text.trimStart().startsWith('<') ? 'an HTML page' : 'not JSON';
    throw missing(address, `the answer is ${found}`, cause);
  }
}
