import { fetchChecked, fetchJson } from './load';
import { parsePldaManifest, type PldaManifest } from './pldaManifest';

/**
 * Fetches a PLDA, and checks its length and SHA-256.
 *
 * @param base address that holds `<id>/manifest.json`, with a slash at its end
 * @throws VoxlaneError `model-missing`, `model-altered` or `model-invalid`
 */
export async function loadPldaFile(
  id: string,
  base: string,
): Promise<{ manifest: PldaManifest; bytes: Uint8Array<ArrayBuffer> }> {
  const address = new URL(`${id}/manifest.json`, base).href;
  const manifest = parsePldaManifest(await fetchJson(address), address);
  return { manifest, bytes: await fetchChecked(new URL(`${id}/${manifest.file.name}`, base).href, manifest.file) };
}
