import type { DownloadFacts } from '../../engine/downloadFacts';
import type { PresetInfo } from '../../engine/presets';
import type { StoredFileInfo } from '../../engine/storedFiles';
import type { BackendChoice, ModelDownload, Speed } from '../../engine/types';
import type { ModelFile } from '../engineKeeper';
import { type DownloadedPreset, isDownloaded, type PresetChoice } from './choices';
import type { Failure } from '../../ui-kit/failure';

/**
 * The models: the presets, the models stored in this browser, and the one in preparation.
 *
 *   nothing ──preparing-started──▶ preparing ──prepared──▶ chosen
 *                 ▲                    │ stopped, failed, or a file with an unknown hash
 *                 └──trusted── question ┘
 */
export interface ModelsState {
  /** Null until they are listed. */
  readonly presets: readonly PresetInfo[] | null;
  /** Null until they are listed. */
  readonly stored: readonly StoredFileInfo[] | null;
  /** Facts about the downloads of the presets that were chosen on this visit. */
  readonly facts: Readonly<Partial<Record<DownloadedPreset, DownloadFacts>>>;
  /** Why presets or stored models could not be listed. */
  readonly listFailure: Failure | null;
  /** The engine in preparation, of a preset with its own model. */
  readonly preparing: Preparing | null;
  /** Progress of the download or conversion of a preparation or a run; null if there is none. */
  readonly download: ModelDownload | null;
  /** Progress of a stopped download, which resumes from there. */
  readonly stopped: ModelDownload | null;
  /** The file of each preset that was accepted on this visit. It is available even if the browser could not store it. */
  readonly files: Readonly<Partial<Record<DownloadedPreset, ModelFile>>>;
  /** A question to the user about a file with an unknown hash. */
  readonly question: Question | null;
  readonly failure: ModelFailure | null;
  /** The stored model whose deletion the user has to confirm. */
  readonly deletionOf: string | null;
}

interface Preparing {
  /** Distinguishes events of this preparation from late events of an earlier one. */
  readonly id: number;
  readonly preset: DownloadedPreset;
  /** Null if the model is downloaded. */
  readonly file: ModelFile | null;
  readonly backend: BackendChoice;
  readonly speed: Speed;
}

interface Question {
  readonly preset: DownloadedPreset;
  readonly file: ModelFile;
  /** Why the engine did not accept the file without confirmation. */
  readonly failure: Failure;
}

interface ModelFailure {
  readonly during: 'download' | 'file' | 'deletion';
  readonly failure: Failure;
  /** Preset of the download or the file; null for a deletion. */
  readonly preset: DownloadedPreset | null;
  /** Name of the file; null for a download. */
  readonly name: string | null;
}

export type ModelsAction =
  | {
      readonly type: 'models-listed';
      readonly presets: readonly PresetInfo[];
      readonly stored: readonly StoredFileInfo[];
    }
  | { readonly type: 'download-described'; readonly preset: DownloadedPreset; readonly facts: DownloadFacts }
  | { readonly type: 'models-unlisted'; readonly failure: Failure }
  | { readonly type: 'preparing-started'; readonly preparing: Preparing }
  | { readonly type: 'download-progressed'; readonly download: ModelDownload }
  | { readonly type: 'prepared'; readonly id: number }
  | { readonly type: 'preparing-stopped'; readonly id: number }
  | { readonly type: 'preparing-failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'model-refused' }
  | { readonly type: 'model-failure-dismissed' }
  | { readonly type: 'deletion-asked'; readonly model: string | null }
  | { readonly type: 'model-deleted'; readonly model: string }
  | { readonly type: 'deletion-failed'; readonly failure: Failure };

export const INITIAL_MODELS: ModelsState = {
  presets: null,
  stored: null,
  facts: {},
  listFailure: null,
  preparing: null,
  download: null,
  stopped: null,
  files: {},
  question: null,
  failure: null,
  deletionOf: null,
};

/** The info of a preset; null until it is listed, and for `auto`. */
export function infoOf({ presets }: ModelsState, preset: PresetChoice): PresetInfo | null {
  return presets?.find(({ id }) => id === preset) ?? null;
}

/** Whether the preset runs without a download. */
export function isReady(models: ModelsState, preset: PresetChoice): boolean {
  return !isDownloaded(preset) || models.files[preset] !== undefined || (infoOf(models, preset)?.present ?? false);
}

/** The preset whose model this is; null if it is none that the user downloads, or if they are not listed. */
export function presetOfModel({ presets }: ModelsState, model: string): DownloadedPreset | null {
  const id = presets?.find((info) => info.model === model)?.id;
  return id !== undefined && isDownloaded(id) ? id : null;
}

/** The preset to offer for download: only the chosen one. Null if it is here, needs no download, or is not listed. */
export function offeredPreset(models: ModelsState, chosen: PresetChoice): DownloadedPreset | null {
  return isDownloaded(chosen) && infoOf(models, chosen) && !isReady(models, chosen) ? chosen : null;
}

/** The state after a preparation or download stopped. The download can resume later. */
export function afterStop(models: ModelsState): ModelsState {
  if (!models.preparing && !models.download) return models;
  const { download, stopped } = models;
  // A conversion follows a complete download, and starts again. A wait has no bytes.
  const rest = download?.step === 'convert' ? null : download?.step === 'download' ? download : stopped;
  return { ...models, preparing: null, download: null, stopped: rest };
}

/** The state after a run finished its download or failed during it. A preparation reports its own end. */
export function afterDownload(models: ModelsState, isWhole: boolean): ModelsState {
  if (models.preparing || !models.download) return models;
  return isWhole ? { ...models, download: null, stopped: null } : afterStop(models);
}

/** As {@link afterStop}. A file with an unknown hash raises a question; any other preparation becomes a failure. */
function afterFailure(models: ModelsState, failure: Failure): ModelsState {
  const { preparing } = models;
  const rest = afterStop(models);
  if (!preparing) return rest;
  const { preset, file } = preparing;
  if (file && !file.isTrusted && failure.code === 'model-altered') return { ...rest, question: { preset, file, failure } };
  return { ...rest, failure: { during: file ? 'file' : 'download', failure, preset, name: file?.name ?? null } };
}

export function reduceModels(models: ModelsState, action: ModelsAction): ModelsState {
  switch (action.type) {
    case 'models-listed':
      return { ...models, presets: action.presets, stored: action.stored, listFailure: null };
    case 'download-described':
      return { ...models, facts: { ...models.facts, [action.preset]: action.facts } };
    case 'models-unlisted':
      return { ...models, listFailure: action.failure };
    case 'preparing-started':
      return { ...models, preparing: action.preparing, download: null, question: null, failure: null, deletionOf: null };
    case 'download-progressed':
      return { ...models, download: action.download, stopped: action.download.step === 'wait' ? models.stopped : null };
    case 'prepared': {
      const { preparing, files } = models;
      if (preparing?.id !== action.id) return models;
      return { ...models, preparing: null, download: null, stopped: null, files: preparing.file ? { ...files, [preparing.preset]: preparing.file } : files };
    }
    case 'preparing-stopped':
      return models.preparing?.id === action.id ? afterStop(models) : models;
    case 'preparing-failed':
      return models.preparing?.id === action.id ? afterFailure(models, action.failure) : models;
    case 'model-refused':
      return { ...models, question: null };
    case 'model-failure-dismissed':
      return { ...models, failure: null };
    case 'deletion-asked':
      return { ...models, deletionOf: action.model };
    case 'model-deleted': {
      const preset = presetOfModel(models, action.model);
      return {
        ...models,
        files: Object.fromEntries(Object.entries(models.files).filter(([id]) => id !== preset)),
        // A partial download is deleted with the model.
        presets: models.presets?.map((info) => (info.model === action.model ? { ...info, receivedBytes: 0 } : info)) ?? null,
        stopped: models.stopped?.model === action.model ? null : models.stopped,
        deletionOf: null,
        stored: models.stored?.filter(({ id }) => id !== action.model) ?? null,
      };
    }
    case 'deletion-failed':
      return { ...models, deletionOf: null, failure: { during: 'deletion', failure: action.failure, preset: null, name: null } };
  }
}
