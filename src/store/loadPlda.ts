import { addressIn, type FileBase } from '../util/fileBase';
import { fetchChecked, fetchJson } from './load';
import { parsePldaManifest, type PldaManifest } from './pldaManifest';

/**
 * Fetches a PLDA, and checks its length and SHA-256.
 *
 * @param base holds `<id>/manifest.json`
 * @throws VoxlaneError `model-missing`, `model-altered` or `model-invalid`
 */
export async function loadPldaFile(
  id: string,
  base: FileBase,
): Promise<{ manifest: PldaManifest; bytes: Uint8Array<ArrayBuffer> }> {
  const address = addressIn(base, `${id}/manifest.json`);
  const manifest = parsePldaManifest(await fetchJson(address), address);
  return { manifest, bytes: await fetchChecked(addressIn(base, `${id}/${manifest.file.name}`), manifest.file) };
}
