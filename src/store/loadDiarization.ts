import { addressIn, type FileBase } from '../util/fileBase';
import { type DiarizationManifest, parseDiarizationManifest } from './diarizationManifest';
import { fetchJson } from './load';
import { parseStreamingSettings, type StreamingSettings } from './streamingSettings';

/** Facts of a diarization model, and the settings of its loop. */
export interface DiarizationFacts {
  readonly manifest: DiarizationManifest;
  readonly streaming: StreamingSettings;
}

/**
 * Loads the manifest of a diarization model.
 *
 * @param base holds `<id>/manifest.json`
 * @throws VoxlaneError `model-missing`, `model-invalid`
 */
export async function loadDiarizationFacts(id: string, base: FileBase): Promise<DiarizationFacts> {
  const address = addressIn(base, `${id}/manifest.json`);
  const content = await fetchJson(address);
  const manifest = parseDiarizationManifest(content, address);
  return { manifest, streaming: parseStreamingSettings((content as { readonly streaming?: unknown }).streaming, address) };
}
