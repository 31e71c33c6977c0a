import { loadManifest } from '../store/load';
import { ModelStore } from '../store/modelStore';
import { unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { type CheckedDiarizerOptions, modelsBase } from './options';
import { PRESETS, type PresetId } from './settings';
import type { DiarizeOptions, DiarizerOptions } from './types';

export type { PresetId } from './settings';

/** A preset, for somebody who chooses. */
export interface PresetInfo {
  /** What `DiarizerOptions.preset` takes. */
  readonly id: PresetId;
  /** Id of its embedding model. */
  readonly model: string;
  /** To be downloaded; 0 where the model is bundled. */
  readonly bytes: number;
  /** SPDX identifier of the embedding model's license. */
  readonly license: string;
  /** Who made the embedding model, as its license wants it said. */
  readonly attribution: string;
  /** Bundled, or stored here: it runs without a network. */
  readonly present: boolean;
}

/** A model that the browser keeps. */
export interface StoredModelInfo {
  /** Id of the model, as {@link deleteStoredModel} takes it. */
  readonly id: string;
  /** Name of its file. */
  readonly file: string;
  /** Length of the file. */
  readonly bytes: number;
  /** SPDX identifier; null of a file that was accepted on somebody's word. */
  readonly license: string | null;
  /** Milliseconds since the epoch. */
  readonly storedAt: number;
}

/**
 * What there is to choose from, and what each needs.
 *
 * @throws VoxlaneError `model-missing`, `model-invalid`, `options`, `cancelled` when `signal` fires
 */
export function presetInfo(
  options: Pick<DiarizerOptions, 'models' | 'trustUnknownModel'> & Pick<DiarizeOptions, 'signal'> = {},
): Promise<readonly PresetInfo[]> {
  return unlessAborted(options.signal, async () => factsOf(await modelsBase(options), options.trustUnknownModel ?? false));
}

/** @param trustUnknown whether a stored file of unknown hash counts */
async function factsOf(base: FileBase, trustUnknown: boolean): Promise<readonly PresetInfo[]> {
  const store = new ModelStore();
  return Promise.all(
    Object.values(PRESETS).map(async ({ preset, embedding }): Promise<PresetInfo> => {
      const manifest = await loadManifest('embedding', embedding, base);
      const { license, attribution, sources } = manifest;
      const common = { id: preset, model: embedding, license, attribution };
      if (!sources) return { ...common, bytes: 0, present: true };
      const present = (await store.find(embedding, sources, trustUnknown)) !== null;
      return { ...common, bytes: sources[0]!.bytes, present };
    }),
  );
}

/** The preset that is asked for; of `auto`, the best one whose model is here. A file that was brought is community-1's. */
export async function choosePreset({ preset, modelFile, modelsBase: base, trustUnknownModel }: CheckedDiarizerOptions): Promise<PresetId> {
  if (preset !== 'auto') return preset;
  if (modelFile) return 'community-1';
  // A host that does not have its manifest does not offer it.
  const facts = await factsOf(base, trustUnknownModel).catch(() => []);
  return facts.some(({ id, present }) => id === 'community-1' && present) ? 'community-1' : 'campplus';
}

/**
 * Models that the browser keeps, latest first; none where it keeps nothing.
 *
 * @throws VoxlaneError `cancelled` when `signal` fires
 */
export function storedModels({ signal }: Pick<DiarizeOptions, 'signal'> = {}): Promise<readonly StoredModelInfo[]> {
  return unlessAborted(signal, () => new ModelStore().list());
}

/**
 * Gives a stored model's space back.
 *
 * @throws VoxlaneError `storage` where the browser refuses
 */
export async function deleteStoredModel(id: string): Promise<void> {
  if (await new ModelStore().delete(id)) return;
  throw new VoxlaneError({
    code: 'storage',
    problem: `The browser did not let the stored model ${id} be deleted`,
    expected: 'storage that this page may change',
    remedy: "Allow the page to store data, or delete its data in the browser's settings",
  });
}
