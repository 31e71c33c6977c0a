import { ModelStore } from '../store/modelStore';
import { conversionsOf } from '../weights/formNames';
import type { StoredModelInfo } from './presets';

/** A stored file, with its place among the files of its model. */
export interface StoredFileInfo extends StoredModelInfo {
  /** Whether it is an original that a file converted from it makes unnecessary. */
  readonly isSpare: boolean;
}

/** All stored files, newest first; empty without storage. */
export async function storedFiles(): Promise<readonly StoredFileInfo[]> {
  const files = await new ModelStore().list();
  return files.map((file) => ({ ...file, isSpare: !file.made && conversionsOf(file, files).length > 0 }));
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
