import { parseGraphAlone } from '../onnx/model';
import { fetchChecked, loadManifest } from '../store/load';
import { loadDiarizationFacts } from '../store/loadDiarization';
import { type AcceptedFile, PUBLIC_HUB } from '../store/sources';
import { addressIn } from '../util/fileBase';
import { convertedBytes } from '../weights/convert';
import { expectedWeights } from '../weights/expected';
import { modelsBase } from './options';
import { WASM_FORMS } from './streamStart';
import { isWindowed, NEMOTRON, PRESETS, type PresetId } from './settings';

/** Facts about the download of a preset, to show before it. */
export interface DownloadFacts {
  /** Repository on the hub, `owner/name`; null if the file has no source. */
  readonly repository: string | null;
  /** Commit of the repository, 40 hex digits; null without a source. */
  readonly revision: string | null;
  /** Page of the repository at that revision; null without a source. */
  readonly address: string | null;
  /** Size in bytes of the file that later visits read. */
  readonly keptBytes: number;
  /** Whether the kept file is another one than the download, which is then needed only for another form. */
  readonly isConverted: boolean;
}

/**
 * Reads the facts from the manifest, and the size of the kept file from the graph.
 *
 * @throws VoxlaneError `model-missing`, `model-invalid`; `model-altered` if the graph is not that of the manifest
 */
export async function downloadFacts(preset: Exclude<PresetId, 'campplus'>): Promise<DownloadFacts> {
  const base = await modelsBase({});
  if (isWindowed(preset)) {
    const [file] = (await loadManifest('embedding', PRESETS[preset].embedding, base)).sources ?? [];
    return { ...sourceOf(file), keptBytes: file?.bytes ?? 0, isConverted: false };
  }
  const { manifest } = await loadDiarizationFacts(NEMOTRON.model, base);
  const { weights } = manifest;
  const [form] = WASM_FORMS;
  // A file of float32 weights is kept as it is.
  if (form === 'float32') return { ...sourceOf(weights), keptBytes: weights.bytes, isConverted: false };
  const { id, file } = manifest;
  const graph = parseGraphAlone(await fetchChecked(addressIn(base, `${id}/${file.name}`), file), file.name);
  return { ...sourceOf(weights), keptBytes: convertedBytes(expectedWeights(graph), form), isConverted: true };
}

function sourceOf(file: AcceptedFile | undefined): Pick<DownloadFacts, 'repository' | 'revision' | 'address'> {
  if (!file?.hub) return { repository: null, revision: null, address: null };
  const { repository, revision } = file.hub;
  return { repository, revision, address: `${PUBLIC_HUB}${repository}/tree/${revision}` };
}
