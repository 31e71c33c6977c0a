import { loadManifest } from '../store/load';
import { loadDiarizationFacts } from '../store/loadDiarization';
import { ModelStore } from '../store/modelStore';
import { unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { ALLOW_STORAGE, STORAGE } from '../util/host';
import { storedForms } from '../weights/formNames';
import { type CheckedDiarizerOptions, modelsBase } from './options';
import { NEMOTRON, PRESETS, type PresetId, type WindowedPreset } from './settings';
import type { DiarizeOptions, DiarizerOptions } from './types';

export type { PresetId } from './settings';

/** A preset, for a selection UI. */
export interface PresetInfo {
  /** Value for `DiarizerOptions.preset`. */
  readonly id: PresetId;
  /** Id of the embedding model; for `nemotron`, of the model that does all stages. */
  readonly model: string;
  /** Size of the download; 0 if the model is bundled. */
  readonly bytes: number;
  /** SPDX identifier of the license of this model. */
  readonly license: string;
  /** Author of this model, as its license requires. */
  readonly attribution: string;
  /** Whether the model is bundled or stored in the browser: it works offline. */
  readonly present: boolean;
  /** Bytes of an interrupted download that are stored: the next one continues there. 0 if there is none. */
  readonly receivedBytes: number;
}

/** A model stored in the browser. */
export interface StoredModelInfo {
  /** Id of the model, for {@link deleteStoredModel}. */
  readonly id: string;
  /** Name of the file. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** SPDX identifier; null for a file of unknown hash that the user chose to trust. */
  readonly license: string | null;
  /** Time of storage in milliseconds since the epoch. */
  readonly storedAt: number;
}

/**
 * The available presets and their requirements.
 *
 * @throws VoxlaneError `model-missing`, `model-invalid`, `options`, `cancelled` if `signal` fires
 */
export function presetInfo(
  options: Pick<DiarizerOptions, 'models' | 'trustUnknownModel'> & Pick<DiarizeOptions, 'signal'> = {},
): Promise<readonly PresetInfo[]> {
  return unlessAborted(options.signal, async () => {
    const [base, trustUnknown] = [await modelsBase(options), options.trustUnknownModel ?? false];
    return [...(await factsOf(base, trustUnknown)), ...(await streamedFactsOf(base, trustUnknown))];
  });
}

/** Empty if the manifest is not on the server: `models` may be a folder of an earlier release. */
async function streamedFactsOf(base: FileBase, trustUnknown: boolean): Promise<readonly PresetInfo[]> {
  const { preset, model } = NEMOTRON;
  const facts = await loadDiarizationFacts(model, base).catch((error: unknown) => {
    if (error instanceof VoxlaneError && error.code === 'model-missing') return null;
    throw error;
  });
  if (!facts) return [];
  const { license, attribution, weights } = facts.manifest;
  const store = new ModelStore();
  // A conversion counts too, but not one in a form of an earlier release: a start would download the original again.
  const present = storedForms(await store.list(), { id: model, sources: [weights], trustUnknown }).size > 0;
  const receivedBytes = present ? 0 : await store.receivedBytes(model, [weights]);
  return [{ id: preset, model, license, attribution, bytes: weights.bytes, present, receivedBytes }];
}

/** The presets with windows. @param trustUnknown whether to count a stored file of unknown hash */
async function factsOf(base: FileBase, trustUnknown: boolean): Promise<readonly (PresetInfo & { readonly id: WindowedPreset })[]> {
  const store = new ModelStore();
  return Promise.all(
    Object.values(PRESETS).map(async ({ preset, embedding }): Promise<PresetInfo & { readonly id: WindowedPreset }> => {
      const manifest = await loadManifest('embedding', embedding, base);
      const { license, attribution, sources } = manifest;
      const common = { id: preset, model: embedding, license, attribution };
      if (!sources) return { ...common, bytes: 0, present: true, receivedBytes: 0 };
      const present = (await store.find(embedding, sources, trustUnknown)) !== null;
      const receivedBytes = present ? 0 : await store.receivedBytes(embedding, sources);
      return { ...common, bytes: sources[0]!.bytes, present, receivedBytes };
    }),
  );
}

/** Resolves `auto`: the best preset with windows whose model is available. A user-provided file belongs to community-1. */
export async function choosePreset({ preset, modelFile, modelsBase: base, trustUnknownModel }: CheckedDiarizerOptions): Promise<PresetId> {
  if (preset !== 'auto') return preset;
  if (modelFile) return 'community-1';
  // Without its manifest on the server, community-1 is not offered.
  const facts = await factsOf(base, trustUnknownModel).catch(() => []);
  return facts.some(({ id, present }) => id === 'community-1' && present) ? 'community-1' : 'campplus';
}

/**
 * Models stored in the browser, newest first; empty without storage.
 *
 * @throws VoxlaneError `cancelled` if `signal` fires
 */
export function storedModels({ signal }: Pick<DiarizeOptions, 'signal'> = {}): Promise<readonly StoredModelInfo[]> {
  return unlessAborted(signal, () => new ModelStore().list());
}

/**
 * Deletes a stored model, and what is stored of an interrupted download of it.
 *
 * @throws VoxlaneError `storage` if the browser does not allow it, or another tab or worker downloads or converts the model
 */
export async function deleteStoredModel(id: string): Promise<void> {
  if (await new ModelStore().delete(id)) return;
  throw new VoxlaneError({
    code: 'storage',
    problem: `The stored model ${id} could not be deleted`,
    expected: STORAGE,
    remedy: `Try again, or ${ALLOW_STORAGE}`,
  });
}
