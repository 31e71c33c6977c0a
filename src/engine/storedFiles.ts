import { ModelStore } from '../store/modelStore';
import type { StoredModelInfo } from './presets';

/** A stored file, with its place among the files of its model. */
export interface StoredFileInfo extends StoredModelInfo {
  /** Whether it was made from another file on this device. */
  readonly isConverted: boolean;
}

/** All stored files, newest first; empty without storage. */
export async function storedFiles(): Promise<readonly StoredFileInfo[]> {
  return (await new ModelStore().list()).map((file) => ({ ...file, isConverted: file.made !== undefined }));
}

/**
 * Deletes the original of a model if an undamaged file converted from it is stored. Without one, the original stays.
 *
 * @throws VoxlaneError `model-altered`, `storage` as `WeightsStore.dropOriginal`
 */
export async function dropStoredOriginal(id: string): Promise<void> {
  // Not part of the first load of the page.
  const { WeightsStore } = await import('../weights/weightsStore');
  await new WeightsStore().dropOriginal(id);
}
