import { parseGraphAlone } from '../onnx/model';
import { fetchChecked, loadManifest } from '../store/load';
import { loadDiarizationFacts } from '../store/loadDiarization';
import { type AcceptedFile, PUBLIC_HUB } from '../store/sources';
import { addressIn } from '../util/fileBase';
import { convertedBytes, type WeightsForm } from '../weights/convert';
import { type ExpectedTensor, expectedWeights } from '../weights/expected';
import { modelsBase } from './options';
import { GPU_FORM, WASM_FORMS } from './streamStart';
import { isWindowed, NEMOTRON, PRESETS, type PresetId } from './settings';

/** Facts about the download of a preset, to show before it. */
export interface DownloadFacts {
  /** Repository on the hub, `owner/name`; null if the file has no source. */
  readonly repository: string | null;
  /** Commit of the repository, 40 hex digits; null without a source. */
  readonly revision: string | null;
  /** Page of the repository at that revision; null without a source. */
  readonly address: string | null;
  /** What later visits read. Backends that read the same file are one entry. */
  readonly kept: readonly KeptFile[];
}

/** A file that later visits read. */
export interface KeptFile {
  /** Backends that read it. */
  readonly backends: readonly ('wasm' | 'webgpu')[];
  /** Size in bytes. */
  readonly bytes: number;
  /** Whether it is made from the download, which is then needed only for another form. */
  readonly isConverted: boolean;
}

/** The forms of the weights that each backend tries first. */
const FORMS = { wasm: WASM_FORMS[0], webgpu: GPU_FORM } as const;

/**
 * Reads the facts from the manifest, and the sizes of the kept files from the graph.
 *
 * @throws VoxlaneError `model-missing`, `model-invalid`; `model-altered` if the graph is not that of the manifest
 */
export async function downloadFacts(preset: Exclude<PresetId, 'campplus'>): Promise<DownloadFacts> {
  const base = await modelsBase({});
  if (isWindowed(preset)) {
    const [file] = (await loadManifest('embedding', PRESETS[preset].embedding, base)).sources ?? [];
    return { ...sourceOf(file), kept: file ? [{ backends: ['wasm', 'webgpu'], bytes: file.bytes, isConverted: false }] : [] };
  }
  const { manifest } = await loadDiarizationFacts(NEMOTRON.model, base);
  const { weights } = manifest;
  const { id, file } = manifest;
  const expected = expectedWeights(parseGraphAlone(await fetchChecked(addressIn(base, `${id}/${file.name}`), file), file.name));
  return { ...sourceOf(weights), kept: keptFiles(expected, weights.bytes) };
}

/** The files of all forms, the smallest first. @param expected the tensors of the graph @param originalBytes size of the download */
export function keptFiles(expected: readonly ExpectedTensor[], originalBytes: number, forms: Readonly<Record<'wasm' | 'webgpu', WeightsForm>> = FORMS): KeptFile[] {
  const byForm = new Map<WeightsForm, ('wasm' | 'webgpu')[]>();
  for (const backend of ['wasm', 'webgpu'] as const) byForm.set(forms[backend], [...(byForm.get(forms[backend]) ?? []), backend]);
  // A file of float32 weights is kept as it is.
  const fileOf = ([form, backends]: readonly [WeightsForm, KeptFile['backends']]): KeptFile =>
    form === 'float32' ? { backends, bytes: originalBytes, isConverted: false } : { backends, bytes: convertedBytes(expected, form), isConverted: true };
  return Array.from(byForm, fileOf).sort((one, other) => one.bytes - other.bytes);
}

function sourceOf(file: AcceptedFile | undefined): Pick<DownloadFacts, 'repository' | 'revision' | 'address'> {
  if (!file?.hub) return { repository: null, revision: null, address: null };
  const { repository, revision } = file.hub;
  return { repository, revision, address: `${PUBLIC_HUB}${repository}/tree/${revision}` };
}
